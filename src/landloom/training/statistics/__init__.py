"""Statistics of the training part of a corpus, in one pass over its pixels."""
