"""What models are trained with; the only package that may import torch. Splits are here, loaders are to come."""
