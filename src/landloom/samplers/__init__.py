"""Samplers: the kinds of sections of a recipe that choose samples."""
