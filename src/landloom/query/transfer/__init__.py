"""Downloads: planned, resumed, verified."""
