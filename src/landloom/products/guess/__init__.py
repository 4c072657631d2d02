"""Guess labels of granules' chips."""
