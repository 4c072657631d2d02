"""A small world with known truth, written as a real archive."""
