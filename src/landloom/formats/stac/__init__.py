"""STAC items of satellite archives, whatever the provider calls its assets."""
