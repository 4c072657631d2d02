"""Abrupt changes of a pixel's series: dates and magnitudes of breaks, and scores of maps of change."""
