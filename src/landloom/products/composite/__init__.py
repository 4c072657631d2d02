"""Per-pixel median composites of each timestep."""
