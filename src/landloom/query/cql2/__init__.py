"""CQL2 filters over the index: parsed, checked, evaluated."""
