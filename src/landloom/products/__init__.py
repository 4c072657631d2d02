"""Product kinds: one folder per kind."""
