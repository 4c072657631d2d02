"""ASGI applications for a corpus: the STAC API and the explorer page. They parse, call and render, and never write."""
