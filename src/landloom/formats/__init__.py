"""Every encoding, both ways, on bytes."""
