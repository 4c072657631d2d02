"""Rehearsal of a build: a part of a recipe built from a synthetic archive of the real shape, measured, extrapolated."""
