"""The table of commands. Modules here import nothing heavy, so that help is shown at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from landloom.cli import (
    annotate,
    asking,
    building,
    changing,
    comparing,
    demos,
    downloading,
    embedding,
    evaluating,
    looking,
    measuring,
    noise,
    publishing,
    recipes,
    scenes,
    serving,
    splitting,
    training,
)
from landloom.pipelines.commands import command_groups

if TYPE_CHECKING:
    from landloom.engine.registry import Registry

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


def _registry() -> Registry:
    from landloom.pipelines.registry import REGISTRY

    return REGISTRY


@app.callback()
def landloom(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback prints and ends
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Build, query and publish training corpora."""
    context.obj = _registry


for group in (
    recipes,
    building,
    scenes,
    *command_groups(),
    evaluating,
    looking,
    publishing,
    asking,
    downloading,
    splitting,
    embedding,
    measuring,
    training,
    comparing,
    changing,
    noise,
    serving,
    annotate,
    demos,
):
    group.register(app)
