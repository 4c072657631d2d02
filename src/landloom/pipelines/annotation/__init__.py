"""Annotation campaigns on a corpus: creating them, reading what annotators see, importing labels, consensus."""
