"""Scene archives: search, selection policies, orders."""
