"""ASGI shells: STAC API and pages. Empty until the servers land."""
