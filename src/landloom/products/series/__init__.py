"""Every acquisition in its native bands."""
