"""`landloom granules features` and `draw`: features of granules, and a diverse choice of them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landloom.reports.options import JsonOption, ReadingCommand, WorkersOption, named_values
from landloom.reports.terminal import ProgressBars, cores, say, say_json, say_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.model.ids import GranuleId
    from landloom.sampling.granules import ContinentReport, GranuleDraw

FOLDER = Path("granules")
CHOSEN = Path("granules.txt")
_PAIR = "two names separated by ="
METHODS = ("ecdf-uniform", "random", "stratified")
ContinentsOption = Annotated[
    str | None, typer.Option(help="Continents: a vector layer, or a CSV with a column `id`. Most land decides.")
]
ColumnOption = Annotated[str, typer.Option(help="Column of the continent: `CONTINENT` in Natural Earth.")]
LayerOption = Annotated[str | None, typer.Option(help="Layer, if the file has several.")]


def register(app: typer.Typer) -> None:
    """Add the command group."""
    group = typer.Typer(help="Granules: class shares from a land-cover map, and a diverse draw.", no_args_is_help=True)
    features_example = (
        "landloom granules features igbp.tif --continents countries.gpkg --column CONTINENT --out granules"
    )
    group.command(cls=ReadingCommand, epilog=f"Example: {features_example}")(features)
    group.command(
        cls=ReadingCommand,
        epilog="Example: landloom granules draw granules/granules.parquet --published --out granules.txt",
    )(draw)
    app.add_typer(group, name="granules")


def features(
    raster: Annotated[str, typer.Argument(help="Land-cover map, in a CRS with an EPSG code.")],
    *,
    taxonomy: Annotated[str, typer.Option(help="Of the map's numbers: igbp17, globeland30, worldcover.")] = "igbp17",
    crosswalk: Annotated[
        list[str] | None, typer.Option(help="CLASS=IGBP, replaces the crosswalk's class; may be repeated.")
    ] = None,
    continents: ContinentsOption = None,
    column: ColumnOption = "continent",
    layer: LayerOption = None,
    bounds: Annotated[
        tuple[float, float, float, float] | None,
        typer.Option(help="Only granules within: west south east north."),
    ] = None,
    only: Annotated[Path | None, typer.Option(help="Only granules of this file, one per line.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for granules.parquet; finished work there is kept.")] = FOLDER,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Compute position, continent and class shares of granules; resumes where it was interrupted."""
    from landloom.engine.executors import executor_factory
    from landloom.samplers.granules.features import write_features

    with ProgressBars() as bars:
        table = write_features(
            raster,
            out,
            source=taxonomy,
            overrides=named_values("--crosswalk", crosswalk, _PAIR, last=True),
            continents=None if continents is None else (continents, column, layer),
            granules=_asked(bounds, only),
            factory=executor_factory(cores(workers)),
            listener=bars,
        )
    if as_json:
        say_json({"table": str(table)})
    else:
        say(f"wrote {table}; draw from it with: landloom granules draw {table}")


def draw(
    table: Annotated[Path, typer.Argument(help="Output of `granules features`, or a CSV with the same columns.")],
    *,
    count: Annotated[int, typer.Option(help="Granules in total, allocated by land area.")] = 300,
    quota: Annotated[list[str] | None, typer.Option(help="CONTINENT=N instead; may be repeated.")] = None,
    published: Annotated[bool, typer.Option("--published", help="The quotas of LandCoverNet.")] = False,
    method: Annotated[str, typer.Option(help="ecdf-uniform, random, stratified.")] = "ecdf-uniform",
    seed: Annotated[int, typer.Option(help="Seed of every random choice.")] = 0,
    water: Annotated[float, typer.Option(help="Granules with a larger share of water are excluded.")] = 0.6,
    barren: Annotated[float, typer.Option(help="Granules with a larger share of barren land are excluded.")] = 0.9,
    continents: ContinentsOption = None,
    column: ColumnOption = "continent",
    layer: LayerOption = None,
    out: Annotated[Path, typer.Option(help="File for the ids, one per line.")] = CHOSEN,
    figure: Annotated[Path | None, typer.Option(help="PNG file for the map.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose diverse granules in each continent, and compare their spread with 100 random draws."""
    from landloom.model.recipe import VectorSource
    from landloom.samplers.granules.section import GranuleChips
    from landloom.samplers.granules.table import draw_from_table, read_granules
    from landloom.sampling.granules import PUBLISHED
    from landloom.store.local import LocalStore

    if method not in METHODS:
        raise typer.BadParameter(f"--method: got {method!r}, expected {', '.join(METHODS)}")
    wanted = {
        name: _number(name, text) for name, text in named_values("--quota", quota, "two names separated by =").items()
    }
    source = None if continents is None else VectorSource(file=continents, column=column, layer=layer)
    settings: Any = {"method": method, "water": water, "barren": barren, "count": count}
    section = GranuleChips(
        draw="granules",
        table=str(table),
        quotas=wanted or (dict(PUBLISHED) if published else {}),
        continents=source,
        **settings,
    )
    found, left_out = draw_from_table(str(table), section, seed)
    out.parent.mkdir(parents=True, exist_ok=True)
    LocalStore(out.parent).put(out.name, "".join(f"{one}\n" for one in found.granules).encode())
    if figure is not None:
        from landloom.samplers.granules.figures import draw_figure

        figure.parent.mkdir(parents=True, exist_ok=True)
        LocalStore(figure.parent).put(figure.name, draw_figure(read_granules(str(table), source)[0], found))
    _say_draw(found, [str(problem) for problem in left_out], out, as_json=as_json)


def _say_draw(found: GranuleDraw, left_out: Sequence[str], out: Path, *, as_json: bool) -> None:
    if as_json:
        rows = [asdict(one) for one in found.continents]
        names = [str(one) for one in found.granules]
        say_json({"file": str(out), "granules": names, "continents": rows, "left_out": left_out})
        return
    for problem in left_out:
        say(f"  left out: {problem}")
    header = ("continent", "eligible", "drawn", "spacing", "of random", "discrepancy", "of random", "classes")
    say_table(f"{len(found.granules)} granules, {found.method}", header, [_line(one) for one in found.continents])
    say(f"  wrote {out}")


def _line(one: ContinentReport) -> Sequence[object]:
    if one.drawn is None or one.random is None:
        return (one.name, one.eligible, one.achieved, "-", "-", "-", "-", "-")
    spread, usual = one.drawn, one.random
    figures = (spread.spacing, usual.spacing, spread.discrepancy, usual.discrepancy)
    return (one.name, one.eligible, one.achieved, *(f"{value:.3f}" for value in figures), f"{spread.coverage:.0%}")


def _number(name: str, text: str) -> int:
    if not text.isdecimal():
        raise typer.BadParameter(f"--quota: got {text!r} for {name}, expected a whole number")
    return int(text)


def _asked(bounds: tuple[float, float, float, float] | None, only: Path | None) -> list[GranuleId] | None:
    """Granules of a file, or in bounds, or both; None for all."""
    from landloom.errors import InvalidInputError
    from landloom.model.granules import granules_in
    from landloom.model.ids import GranuleId
    from landloom.store.vector.tables import read_text

    if only is None and bounds is None:
        return None
    named = None
    if only is not None:
        named = {GranuleId.parse(text) for text in read_text(only).split()}
        if not named:
            raise InvalidInputError(f"{only}: names no granule")
    if bounds is None:
        return sorted(named or ())
    import shapely

    return [one for one in granules_in(shapely.box(*bounds)) if named is None or one in named]
