"""Arguments and options shared by several commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from landloom.model.address import HOSTS_VARIABLE

RecipeOption = Annotated[Path, typer.Argument(help="Recipe file, or folder with a landloom.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Worker processes on this machine; 0 for one per core.")]


def _limit_hosts(hosts: str | None) -> str | None:
    if hosts is not None:
        os.environ[HOSTS_VARIABLE] = hosts  # workers inherit it
    return hosts


HostsOption = Annotated[
    str | None,
    typer.Option(
        "--hosts",
        envvar=HOSTS_VARIABLE,
        callback=_limit_hosts,
        help="Contact only these hosts, separated by commas; .example.org includes its subdomains.",
    ),
]
HERE = Path("landloom.yaml")
"""Default path of the recipe."""


def registry_of(context: typer.Context) -> Any:
    """The registry of the command line; it is loaded on this call.

    Args:
        context: context of the command; its object loads the registry.
    """
    load: Callable[[], Any] = context.obj
    return load()
