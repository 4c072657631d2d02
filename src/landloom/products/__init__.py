"""What a corpus is made of: one folder per product kind."""
