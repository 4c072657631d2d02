"""Demos that run the whole workflow."""
