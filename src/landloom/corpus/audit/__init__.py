"""Validation of a corpus: files against manifests, documents against schemas, the index against both."""
