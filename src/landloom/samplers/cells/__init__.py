"""600 m cells of 24 km tiles: drawn, all of a region, or listed."""
