"""File formats: encoders and decoders that work on bytes."""
