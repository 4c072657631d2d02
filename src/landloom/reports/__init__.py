"""Figures, the shell of a page, and what a terminal shows."""
