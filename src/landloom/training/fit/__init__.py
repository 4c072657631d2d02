"""Training: data in memory, the loop, the folder of a model."""
