"""What QGIS opens: a style for each product, mosaics of tiles, and a project with them."""
