"""Chips in Sentinel-2 granules that are named or drawn."""
