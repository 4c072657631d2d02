"""STAC items of satellite archives, with the asset names of different providers."""
