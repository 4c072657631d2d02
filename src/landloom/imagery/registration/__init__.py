"""Displacement of scenes against each other: measured by phase correlation, removed by one resampling."""
