"""Composition: plan, run, journal, and one module per product."""
