"""Class fractions of samples."""
