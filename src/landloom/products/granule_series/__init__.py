"""The chosen scenes of a granule, cut into chips: original and filled."""
