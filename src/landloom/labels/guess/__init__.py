"""Guess labels: a classifier trained on an existing land-cover map, using pixels where the imagery agrees with it."""
