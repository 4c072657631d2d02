"""Reading pixels from scenes and writing chips: windows, blocks, timesteps."""
