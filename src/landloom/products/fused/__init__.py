"""Fused series: complete, harmonised across sensors, on a regular cadence, with quality layers."""
