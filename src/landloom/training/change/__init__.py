"""Dates of abrupt changes, learnt: from simulated worlds whose dates are known, and from dates that a corpus holds."""
