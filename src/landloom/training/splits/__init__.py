"""Splits of a finished corpus: blocks, assignment, the gap between splits, and the proof of it."""
