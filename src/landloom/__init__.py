"""landloom: training corpora from satellite image time series and land-cover labels."""
