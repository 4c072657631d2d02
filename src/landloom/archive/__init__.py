"""Which scenes: search, selection policies, orders."""
