"""Writers of the chips of one product and tile, each in a layout."""
