"""Fused series: the course of similar neighbours and a second sensor, in accord with a pixel's own observations."""
