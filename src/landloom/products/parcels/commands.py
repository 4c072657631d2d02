"""`landloom parcels rasterise` and `describe`: parcels without a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landloom.errors import InvalidInputError
from landloom.reports.options import JsonOption, ReadingCommand, named_values
from landloom.reports.terminal import say, say_json, say_table

if TYPE_CHECKING:
    from landloom.labels.parcels import Parcels
    from landloom.model.grid import Grid

ParcelsArgument = Annotated[
    str, typer.Argument(help="Parcels: a file or URL of any vector format; file.gpkg|layer names a layer.")
]
MoreColumns = Annotated[list[str] | None, typer.Argument(help="Further values of --columns: id=GIS_ID year=JAHR …")]
ColumnsOption = Annotated[
    list[str] | None, typer.Option(help="Role and column: ground_truth=NUTZUNGSCO; further pairs can follow.")
]
YearOption = Annotated[int | None, typer.Option(help="Only parcels of this year, if a column gives it.")]
CrsOption = Annotated[str | None, typer.Option(help="CRS of the bounds, such as EPSG:32633.")]
LayerOption = Annotated[str | None, typer.Option(help="Layer, if the file has several.")]
AssumeOption = Annotated[str | None, typer.Option(help="CRS of parcels if the file has none.")]
EncodingOption = Annotated[str | None, typer.Option(help="Encoding of text that is not UTF-8, such as cp1252.")]
InvalidOption = Annotated[str, typer.Option(help="Handling of invalid geometries: reject or repair.")]
AsJson = JsonOption
FigureOption = Annotated[Path | None, typer.Option(help="PNG file for the histogram.")]
FOLDER = Path("labels")
RegressionOption = Annotated[
    bool, typer.Option("--regression", help="The ground truth is a number to predict, not a class.")
]


def register(app: typer.Typer) -> None:
    """Add this group."""
    group = typer.Typer(help="Rasterise parcels, or describe their size.", no_args_is_help=True)
    rasterise_example = (
        "landloom parcels rasterise p.gpkg --columns ground_truth=CROP id=ID --like B04.tif --out labels"
    )
    group.command(cls=ReadingCommand, epilog=f"Example: {rasterise_example}")(rasterise)
    group.command(cls=ReadingCommand, epilog="Example: landloom parcels describe p.gpkg --columns ground_truth=CROP")(
        describe
    )
    app.add_typer(group, name="parcels")


def rasterise(
    parcels: ParcelsArgument,
    more: MoreColumns = None,
    *,
    out: Annotated[Path, typer.Option(help="Folder for the rasters and tables.")] = FOLDER,
    like: Annotated[str | None, typer.Option(help="Raster with the grid to use.")] = None,
    bounds: Annotated[tuple[float, float, float, float] | None, typer.Option(help="West south east north.")] = None,
    crs: CrsOption = None,
    resolution: Annotated[
        float | None, typer.Option(help="Pixel size in metres; by default 10, or that of the raster.")
    ] = None,
    columns: ColumnsOption = None,
    year: YearOption = None,
    classes: Annotated[
        str | None, typer.Option(help="CSV file with value,code; or YAML or JSON with value → code.")
    ] = None,
    unmapped: Annotated[str, typer.Option(help="Values without a code: error, unknown, background, ignore.")] = "error",
    layer: LayerOption = None,
    parcels_crs: AssumeOption = None,
    encoding: EncodingOption = None,
    invalid: InvalidOption = "reject",
    regression: RegressionOption = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Write even into a folder with other files, or if the disk may be too small."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Rasterise parcels to class, id, coverage, distance to the edge, mask and ambiguity."""
    from landloom.engine.sources.parcels import classes_file
    from landloom.products.parcels.rasterise import grid_for, rasterise_files

    grid = grid_for(like=like, bounds=bounds, epsg=_epsg(crs), resolution=resolution)
    options: dict[str, Any] = {"unmapped": _one_of("unmapped", unmapped, _UNMAPPED)}
    if classes is not None:
        options["classes"], options["codes"] = classes_file(classes)
    told = [*(columns or ()), *(more or ())]
    found = _read(
        parcels,
        told,
        year,
        grid=grid,
        layer=layer,
        assumed=parcels_crs,
        encoding=encoding,
        invalid=invalid,
        regression=regression,
        **options,
    )
    done = rasterise_files(found, grid, out, force=force)
    if as_json:
        say_json(done.document())
        return
    rows, width = done.shape
    say(f"{out}: {rows} × {width} pixels at {grid.pixel_width:g} m in EPSG:{grid.epsg}")
    say(f"  {done.parcels:,} parcels on {done.labelled:,} pixels, {done.doubtful:,} of them ambiguous")
    if done.renumbered:
        say("  ids are no whole numbers: ids.tif holds their places in sorted order, ids.csv says which")
    if done.nobody:
        say(f"  0 is the id of a parcel: {done.nobody} stands for none in ids.tif, as its nodata says")
    say(f"  {done.clipped:,} cut at the edge, {done.repaired:,} repaired, {done.rejected:,} rejected (rejected.csv)")


def describe(
    parcels: ParcelsArgument,
    more: MoreColumns = None,
    *,
    columns: ColumnsOption = None,
    year: YearOption = None,
    windows: Annotated[list[int] | None, typer.Option("--size", help="Windows to try, in pixels of 10 m.")] = None,
    figure: FigureOption = None,
    layer: LayerOption = None,
    parcels_crs: AssumeOption = None,
    encoding: EncodingOption = None,
    invalid: InvalidOption = "reject",
    regression: RegressionOption = False,
    as_json: AsJson = False,
) -> None:
    """Describe the size of parcels, and which share of them fits into windows of 24, 48 and 64 pixels."""
    from landloom.products.parcels.extents import PERCENTILES, SIZES, describe_parcels, extents_figure

    if figure is not None and figure.suffix.lower() != ".png":
        raise typer.BadParameter(f"--figure: got {figure.name!r}, expected a file that ends in .png")
    told = [*(columns or ()), *(more or ())]
    found = _read(
        parcels,
        told,
        year,
        grid=None,
        layer=layer,
        assumed=parcels_crs,
        encoding=encoding,
        invalid=invalid,
        regression=regression,
    )
    described = describe_parcels(found, windows or SIZES)
    if figure is not None:
        figure.parent.mkdir(parents=True, exist_ok=True)
        figure.write_bytes(extents_figure(described))
    if as_json:
        say_json(described.document())
        return
    title = f"{parcels}: {described.parcels:,} parcels, {described.rejected:,} rejected, in EPSG:{described.epsg}"
    rows = [(name, *values) for name, values in described.percentiles().items()]
    say_table(title, ("metres", *(f"{p} %" for p in PERCENTILES)), rows)
    say()
    fits = [(f"{pixels} px", f"{share:.1%}", f"{centred:.1%}") for pixels, (share, centred) in described.fits.items()]
    say_table("which share fits", ("window", "extent", "centred, snapped to 60 m"), fits)
    say()
    say_table("classes", ("value", "parcels"), list(described.classes.items())[:40])
    if figure is not None:
        say(f"\nwrote {figure}")


_UNMAPPED = ("error", "unknown", "background", "ignore")


def _read(
    path: str,
    told: list[str],
    year: int | None,
    *,
    grid: Grid | None,
    layer: str | None,
    assumed: str | None,
    encoding: str | None,
    invalid: str,
    **options: Any,
) -> Parcels:
    from landloom.engine.sources.parcels import read_parcels
    from landloom.labels.parcel_table import LabelYear
    from landloom.model.crs_key import crs_key
    from landloom.store.vector import Told

    columns = named_values("--columns", told, "role=COLUMN such as ground_truth=CROP")
    period = None if year is None else LabelYear(year=year)
    return read_parcels(
        path,
        grid,
        layer=layer,
        columns=columns,
        period=period,
        told=Told(crs=None if assumed is None else crs_key(assumed), encoding=encoding),
        invalid=_one_of("invalid", invalid, ("reject", "repair")),
        **options,
    )


def _epsg(text: str | None) -> int | None:
    if text is None:
        return None
    from landloom.model.crs_key import crs_key

    code = crs_key(text)
    if not isinstance(code, int):
        raise InvalidInputError(f"--crs: got {text!r}, expected one with an EPSG code, such as EPSG:32633")
    return code


def _one_of(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise typer.BadParameter(f"--{name}: got {text!r}, expected one of {', '.join(known)}")
    return text
