"""Which scenes there are, which are taken, and how whole products come onto disk."""
