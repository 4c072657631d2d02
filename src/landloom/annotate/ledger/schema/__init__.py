"""Tables and their versions."""
