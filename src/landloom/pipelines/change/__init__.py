"""Change: judged on the simulated world, found in the series of a corpus, and between two versions of its labels."""
