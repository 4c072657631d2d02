"""The chosen scenes of a granule's chips, as they are and filled."""
