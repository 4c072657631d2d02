"""Chips in Sentinel-2 granules that are listed or drawn."""
