"""The explorer page and its API."""
