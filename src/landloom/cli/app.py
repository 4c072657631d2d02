"""The table of commands. Modules here import nothing heavy, so that help is shown at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

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
from landloom.reports.help import WholeGroup
from landloom.reports.options import with_options_of_all

if TYPE_CHECKING:
    from landloom.engine.registry import Registry

SECTIONS: Final = {
    "Try it": ("demo", "simulate"),
    "Use a corpus": ("query", "download", "series", "serve", "cite", "crawl", "corpora", "similar"),
    "Build a corpus": ("init", "plan", "rehearse", "scenes", "build", "status", "report", "validate"),
    "Labels and people": ("labels", "annotate", "parcels", "granules", "guess", "noise"),
    "Train": ("split", "statistics", "train", "predict", "leaderboard", "embed", "change", "evaluate"),
    "Publish and check": ("export", "publish", "index", "verify", "repair", "diff"),
}
"""Heading → its commands, in the order in which one needs them."""


class Commands(WholeGroup):
    """All commands."""

    sections = SECTIONS


app = typer.Typer(
    name="landloom",
    help="Build, query and publish training corpora from satellite image time series and land-cover labels.",
    epilog="Start with: landloom demo",
    no_args_is_help=True,
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
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
with_options_of_all(app)
