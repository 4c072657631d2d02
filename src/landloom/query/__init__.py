"""Queries on a corpus: index engine, filters, files, downloads."""
