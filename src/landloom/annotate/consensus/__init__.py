"""Consensus: one label, with a probability, from the answers of several annotators."""
