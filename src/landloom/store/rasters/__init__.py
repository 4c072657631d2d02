"""How the pixels of raster files are reached: by GDAL, or block by block."""
