"""Answers of annotators to tasks, and their unique response patterns."""
