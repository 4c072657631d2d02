"""ASGI shells over a corpus: the STAC API, the explorer page. Parse, call, render; nothing here writes."""
