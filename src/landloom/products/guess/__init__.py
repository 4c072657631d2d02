"""Guess labels for the chips of granules."""
