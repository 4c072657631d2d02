"""Static STAC catalogues and registered corpora."""
