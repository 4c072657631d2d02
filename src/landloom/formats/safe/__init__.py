"""SAFE products of Sentinel-2: names, metadata, outlines and angles of ESA's format."""
