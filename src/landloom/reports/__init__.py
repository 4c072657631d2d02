"""Figures, the frame of a report page, and terminal output."""
