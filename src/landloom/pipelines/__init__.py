"""Composition of all layers: build, estimate, evaluate, status, demos."""
