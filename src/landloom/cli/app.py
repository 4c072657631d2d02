"""The table of commands. Modules here import nothing heavy: help must be there at once."""

from __future__ import annotations

from typing import Annotated

import typer

from landloom.cli import (
    asking,
    building,
    downloading,
    evaluating,
    granules,
    guess,
    parcels,
    publishing,
    recipes,
    scenes,
    serving,
)

app = typer.Typer(
    name="landloom",
    help="Build, query and publish training corpora from satellite image time series and land-cover labels.",
    epilog="Start with: landloom demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it with the option's value
    if wanted:
        from importlib.metadata import version

        typer.echo(f"landloom {version('landloom')}")
        raise typer.Exit


@app.callback()
def landloom(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Build, query and publish training corpora."""


for group in (
    recipes,
    building,
    scenes,
    parcels,
    granules,
    guess,
    evaluating,
    publishing,
    asking,
    downloading,
    serving,
):
    group.register(app)
