"""`landloom init`, `plan` and `simulate`: commands that come before a build."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landloom.errors import counted
from landloom.reports.options import HERE, JsonOption, ReadingCommand, RecipeOption
from landloom.reports.terminal import ProgressBars, cores, say, say_json, say_table, size

UNKNOWN = "unknown"


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(epilog="Example: landloom init rapidai4eo && landloom plan")(init)
    app.command(cls=ReadingCommand, epilog="Example: landloom plan landloom.yaml --json")(plan)
    app.command(epilog="Example: landloom simulate out/world --preset demo")(simulate)


def init(
    name: Annotated[str, typer.Argument(help="Name of the recipe: demo, rapidai4eo, …")],
    target: Annotated[Path, typer.Argument(help="File to write.")] = HERE,
) -> None:
    """Write a recipe to start from."""
    from landloom.pipelines.starters import write_starter

    write_starter(name, target)
    say(f"wrote {target}; next: landloom plan {target}")


def plan(
    recipe: RecipeOption = HERE,
    *,
    search: Annotated[bool, typer.Option(help="Draw the samples and search the archive, if all inputs exist.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Estimate samples, files, bytes and memory of a recipe, before anything is downloaded."""
    from landloom.pipelines.estimate import estimate_recipe

    with ProgressBars() as bars:
        numbers = estimate_recipe(recipe, search=search, listener=bars)
    if as_json:
        say_json(numbers.document())
        return
    rows = []
    for p in numbers.products:
        chips, about = (UNKNOWN, UNKNOWN) if p.chips is None or p.size is None else (p.chips, size(p.size))
        rows.append((p.key, p.role, p.timesteps, chips, about, "here" if p.made_here else "elsewhere"))
    say_table(f"{numbers.name}", ("product", "role", "timesteps", "chips", "about", "made"), rows)
    say()
    unknown = f"{UNKNOWN}, inputs are missing" if numbers.missing else f"{UNKNOWN} until it is drawn or asked for"
    for label, value in (
        ("samples", numbers.samples),
        ("UTM zones", numbers.zones),
        ("tiles", numbers.tiles),
        ("image chips", numbers.chips("data")),
        ("quality chips", numbers.chips("metadata")),
        ("scenes", numbers.scenes),
    ):
        say(f"  {label:<16}{unknown if value is None else f'{value:,}'}")
    say(f"  {'worker memory':<16}{size(numbers.memory)}")
    if numbers.missing:
        say(f"\nnot there yet: {', '.join(numbers.missing)}")


def simulate(
    folder: Annotated[Path, typer.Argument(help="Folder to write the archive to.")],
    preset: Annotated[str, typer.Option(help="Preset: demo, tiny, judge-v1.")] = "demo",
    *,
    as_json: JsonOption = False,
) -> None:
    """Write a small simulated world as a real archive."""
    from landloom.pipelines.demos.cells import write_world

    with ProgressBars() as bars:
        summary = write_world(preset, folder, bars, cores(0))
    if as_json:
        say_json({"folder": str(folder), "preset": preset, "scenes": summary.scenes, "bytes": summary.bytes})
        return
    say(f"wrote {counted(summary.scenes, 'scene')} ({size(summary.bytes)}) to {folder}")
