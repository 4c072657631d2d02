"""Arguments and options shared by several commands."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand

from landloom.model.address import HOSTS_VARIABLE, REQUESTS_VARIABLE

RecipeOption = Annotated[Path, typer.Argument(help="Recipe file, or folder with a landloom.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
WorkersOption = Annotated[int, typer.Option(min=0, help="Worker processes on this machine; 0 for one per core.")]


def _limit_requests(requests: int | None) -> int | None:
    if requests is not None:
        os.environ[REQUESTS_VARIABLE] = str(requests)  # workers are told
    return requests


RequestsOption = Annotated[
    int | None,
    typer.Option(
        "--requests",
        min=1,
        max=256,
        envvar=REQUESTS_VARIABLE,
        callback=_limit_requests,
        help="Ranges of remote files that a worker requests at a time; 64 by default.",
    ),
]


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


def named_values(option: str, texts: Iterable[str] | None, example: str, *, last: bool = False) -> dict[str, str]:
    """Values of an option that is repeated as `NAME=VALUE`.

    Args:
        option: its name on the command line.
        texts: as given; None for none.
        example: of one, for the error.
        last: whether the last `=` divides, because names may contain one; by default the first, values may.

    Raises:
        typer.BadParameter: not of this form, or a name twice with different values.

    Example:
        >>> named_values("--accept", ["Water=0.95", "Forest=0.8"], "Water=0.95")
        {'Water': '0.95', 'Forest': '0.8'}
    """
    found: dict[str, str] = {}
    for text in texts or ():
        name, _, value = (part.strip() for part in (text.rpartition("=") if last else text.partition("=")))
        if not (name and value):
            raise typer.BadParameter(f"{option}: got {text!r}, expected {example}")
        if found.setdefault(name, value) != value:
            raise typer.BadParameter(f"{option}: got {name} = {found[name]} and {name} = {value}, expected one of them")
    return found
