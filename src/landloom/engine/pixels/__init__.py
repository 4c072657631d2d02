"""Pixels read from scenes, and chips written: windows, blocks, timesteps."""
