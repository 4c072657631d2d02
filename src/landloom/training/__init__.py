"""What models eat; the only place that may import torch. Empty until loaders land."""
