"""Samples as models read them: products of a corpus as arrays with their dates, validity and target."""
