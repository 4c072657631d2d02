"""What people see of a corpus and of a selection: summaries, maps, pictures, and doubts about a question."""
