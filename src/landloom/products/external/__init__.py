"""Series made elsewhere."""
