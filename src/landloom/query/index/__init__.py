"""The index for queries: compact memory-mapped arrays, and their sources."""
