"""Consensus labels: layers of a corpus made from the answers of annotators, with a report."""
