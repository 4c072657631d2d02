"""One sensor's reflectance brought to another's: published coefficients, and lines fitted scene by scene."""
