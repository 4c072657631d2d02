"""The explorer page and what it asks."""
