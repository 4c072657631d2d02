"""Pixels: valid masks, composites, filling, fusion, quality."""
