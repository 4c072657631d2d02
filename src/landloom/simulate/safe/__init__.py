"""SAFE products of a simulated world."""
