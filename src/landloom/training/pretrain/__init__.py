"""Pretraining without labels: masked series, and what they are worth to a linear probe."""
