"""Training data for models; the only package that may import torch. Empty until loaders are added."""
