"""What a model says of a corpus, as label products of it: classes, numbers, or dates of changes."""
