"""`landloom scenes`: the scenes chosen for a recipe, as a table, a calendar and an editable file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landloom.reports.options import HERE, JsonOption, ReadingCommand, RecipeOption
from landloom.reports.terminal import ProgressBars, note, say, say_json, say_table, size

if TYPE_CHECKING:
    from landloom.engine.scenes.choose import ScenesChosen

PICTURES = (".png", ".svg", ".pdf")


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    app.command(
        cls=ReadingCommand, epilog='Example: landloom scenes landloom.yaml --policy "uniform 12" --out scenes.csv'
    )(scenes)


def scenes(
    recipe: RecipeOption = HERE,
    *,
    policy: Annotated[
        str | None, typer.Option(help="all, least-cloudy n, uniform n, monthly + n; by default that of the recipe.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File to write; edit its column `use`.")] = Path("scenes.csv"),
    figure: Annotated[Path | None, typer.Option(help="Calendar figure; by default next to the file.")] = None,
    archive: Annotated[str | None, typer.Option(help="Name of the archive, if the recipe has several.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose scenes, show which and why, and write a file for `scenes: {file: …}` of the recipe."""
    from landloom.engine.scenes.archives import recipe_archive
    from landloom.engine.scenes.choose import choose, granule_rows, span
    from landloom.pipelines.registry import REGISTRY
    from landloom.store.local import LocalStore

    picture = figure or out.with_suffix(".png")
    if picture.suffix.lower() not in PICTURES:
        raise typer.BadParameter(f"--figure: got {picture.name!r}, expected a file that ends in {', '.join(PICTURES)}")
    project = REGISTRY.open(recipe)
    samples = project.recipe.samples
    granules = REGISTRY.sampler(samples).granules(project, samples)
    names = list(project.recipe.named_archives())
    if archive is None and len(names) > 1:
        raise typer.BadParameter(f"--archive: the recipe has several, expected one of {', '.join(names)}")
    if archive is not None and archive not in names:
        raise typer.BadParameter(f"--archive: got {archive!r}, expected one of {', '.join(names)}")
    with ProgressBars() as bars:
        bars.started("searching the archive", 1)
        found = choose(project, recipe_archive(project, archive or names[0]), policy, granules)
        bars.advanced(archive or names[0], None)
    out.parent.mkdir(parents=True, exist_ok=True)
    LocalStore(out.parent).put(out.name, found.choice.to_csv().encode())
    _draw(found.choice, span(project), picture)
    rows = granule_rows(found)
    if as_json:
        say_json({"file": str(out), "figure": str(picture), "scenes": len(found.choice.ids), "granules": rows})
        return
    _say(found, rows)
    say(f"  wrote {out} and {picture}; edit `use`, then name the file in the recipe: scenes: {{file: {out}}}")


def _say(found: ScenesChosen, rows: list[dict[str, Any]]) -> None:
    """Print which scenes were chosen, and which are missing."""
    used = [one for one in found.choice.candidates if one.use]
    header = ("granule", "region", "there", "taken", "cloud of taken", "first", "last", "months without")
    lines = [
        (
            row["granule"],
            f"{row['share']:.1%}" if row["needed"] else f"({row['share']:.1%})",
            row["candidates"],
            row["taken"],
            "" if row["cloud"] is None else f"{row['cloud']:.1f} %",
            row["first"],
            row["last"],
            " ".join(row["gaps"]),
        )
        for row in rows
    ]
    say_table(f"{found.policy}: {len(used)} of {len(found.choice.candidates)} scenes", header, lines)
    total = [one.size for one in used if one.size is not None]
    if total:
        say(f"  {size(sum(total))} in total, as far as the archive states it")
    for granule, wanted, got in found.choice.short:
        say(f"  {granule or 'granule not stated'}: got {got} scenes, expected {wanted}")
    for problem in found.problems:
        note(str(problem))


def _draw(choice: object, period: object, picture: Path) -> None:
    from landloom.archive.figure import calendar_figure

    picture.parent.mkdir(parents=True, exist_ok=True)
    calendar_figure(choice, period).savefig(picture, dpi=130, metadata={"Software": None})  # type: ignore[arg-type]
