"""SAFE products on disk as an archive."""
