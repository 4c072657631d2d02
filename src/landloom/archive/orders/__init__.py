"""Whole products of a provider: searched, ordered, downloaded and verified."""
