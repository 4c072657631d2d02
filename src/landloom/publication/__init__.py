"""From the results of units to a corpus, and from a corpus to other forms."""
