"""Sentinel-2 SAFE products: names, metadata, outlines and angles of ESA's format."""
