"""`landloom annotate consensus`, `report` and `export`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer


def register(group: typer.Typer) -> None:
    """Add these commands."""
