"""Scores of annotators: accuracy, confusion, edits, copied guesses, agreement."""
