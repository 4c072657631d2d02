"""How numbers of rasters are shown: colours of classes, ramps of quantities, and how far colours lie apart."""
