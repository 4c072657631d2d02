"""Where: strata, allocation, draws."""
