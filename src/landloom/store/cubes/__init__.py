"""Cubes of Zarr version 3 as rasters: what GDAL's driver lacks (sharding, checksums, texts) is read by zarr-python."""
