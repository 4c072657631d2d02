"""Placement of samples: strata, allocation, draws."""
