"""Domain values: frozen dataclasses without input or output."""
