"""Per-pixel medians of each timestep."""
