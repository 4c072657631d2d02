"""Arguments and options shared by several commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from landloom.model.address import HOSTS_VARIABLE

RecipeOption = Annotated[Path, typer.Argument(help="Recipe file, or folder with a landloom.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Worker processes on this machine; 0 for one per core.")]


def _limit_hosts(hosts: str | None) -> str | None:
    if hosts is not None:
        os.environ[HOSTS_VARIABLE] = hosts  # workers inherit it
    return hosts


def _of_readers(
    _hosts: Annotated[
        str | None,
        typer.Option(
            "--hosts",
            envvar=HOSTS_VARIABLE,
            callback=_limit_hosts,
            expose_value=False,
            help="Contact only these hosts, separated by commas; .example.org includes its subdomains.",
        ),
    ] = None,
) -> None:
    """The options of every command that reads what may be remote."""


def _parsed() -> list[Any]:
    app = typer.Typer(add_completion=False)
    app.command()(_of_readers)
    return typer.main.get_command(app).params


_OF_READERS: Final = _parsed()


class ReadingCommand(TyperCommand):
    """A command that reads what may be remote: `app.command(cls=ReadingCommand)` gives it `--hosts`."""

    def __init__(self, *args: Any, params: list[Any] | None = None, **settings: Any) -> None:
        super().__init__(*args, params=[*(params or ()), *_OF_READERS], **settings)


HERE = Path("landloom.yaml")
"""Default path of the recipe."""


def registry_of(context: typer.Context) -> Any:
    """The registry of the command line; it is loaded on this call.

    Args:
        context: context of the command; its object loads the registry.
    """
    load: Callable[[], Any] = context.obj
    return load()
