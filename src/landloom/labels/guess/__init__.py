"""Guess labels: a classifier trained on an existing land-cover map where the imagery agrees with it."""
