"""The STAC catalogue of a corpus, written from its index."""
