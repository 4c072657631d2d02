"""Label rasters of parcels."""
