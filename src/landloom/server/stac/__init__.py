"""The STAC API of a corpus."""
