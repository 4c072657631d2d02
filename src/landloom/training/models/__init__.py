"""Models of image time series: small networks written from their papers, and trees on features."""
