"""Whole products from a provider: search, order, download and verify."""
