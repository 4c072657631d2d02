"""Builds in shards: one job of a scheduler each."""
