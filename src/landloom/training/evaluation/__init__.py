"""Scores of predictions: accuracies, areas, calibration, intervals over blocks; no model and no framework."""
