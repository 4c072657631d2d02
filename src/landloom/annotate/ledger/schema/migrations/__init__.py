"""Alembic's folder: one module per version of the tables."""
