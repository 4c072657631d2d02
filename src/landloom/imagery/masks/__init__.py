"""Masks of usable pixels from a scene's own layers, and from a network."""
