"""Estimates of what a build reads, writes and computes, in which time and at which cost."""
