"""The engine's index: compact memory-mapped arrays, and what they are built from."""
