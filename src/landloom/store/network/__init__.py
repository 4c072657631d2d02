"""Requests to hosts: one client, one policy for retries, limits and counts."""
