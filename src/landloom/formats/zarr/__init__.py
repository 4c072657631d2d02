"""Cubes: sharded Zarr v3 arrays, written and read."""
