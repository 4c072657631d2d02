"""`landloom annotate`: campaigns in which people label the chips of a corpus."""

from __future__ import annotations

from importlib import import_module
from typing import Final

import typer

MODULES: Final = (
    "campaigns",  # init
    "importing",  # import
    "serving",  # serve
    "users",  # users
    "consensus",  # consensus, report, export
    "backups",  # backup
)
"""Modules of this folder, each with a function `register(group)`; they import nothing heavy."""


def register(app: typer.Typer) -> None:
    """Add this group."""
    group = typer.Typer(
        help="Let people label the chips of a corpus: campaigns, accounts, consensus.", no_args_is_help=True
    )
    for name in MODULES:
        import_module(f"{__name__}.{name}").register(group)
    app.add_typer(group, name="annotate")
