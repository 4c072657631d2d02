"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

RecipeOption = Annotated[Path, typer.Argument(help="Recipe file, or the folder of a landloom.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Worker processes on this machine; 0 for one a core.")]
HERE = Path("landloom.yaml")
"""The recipe by default."""


def registry_of(context: typer.Context) -> Any:
    """The registry that the command line runs with; it is loaded here, not before.

    Args:
        context: of the command; its object loads the registry.
    """
    load: Callable[[], Any] = context.obj
    return load()
