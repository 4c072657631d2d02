"""`landloom series`: the series of one pixel as a picture and as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landloom.reports.options import JsonOption, ReadingCommand
from landloom.reports.terminal import say, say_json

PICTURES = (".png", ".svg", ".pdf")


def register(app: typer.Typer) -> None:
    """Add this group's command."""
    example = "landloom series corpus 33N_16E-243N_29_01 --pixel 12,40 --out pixel.svg --csv pixel.csv"
    app.command("series", cls=ReadingCommand, epilog=f"Example: {example}")(series)


def _pixel(text: str) -> tuple[int, int]:
    try:
        row, column = (int(part) for part in text.split(","))
    except ValueError as error:
        raise typer.BadParameter(f"--pixel: got {text!r}, expected a row and a column such as 12,40") from error
    return row, column


def series(
    corpus: Annotated[str, typer.Argument(help="Folder, address or registered name of a corpus.")],
    sample: Annotated[str, typer.Argument(help="Id of a sample.")],
    *,
    pixel: Annotated[str, typer.Option(help="Row and column from the north-west corner, both from 0: 12,40.")],
    product: Annotated[
        str | None, typer.Option(help="Key of the series; by default one that tells what is synthetic, else the first.")
    ] = None,
    band: Annotated[list[str] | None, typer.Option(help="Band to draw; may be repeated; by default all.")] = None,
    out: Annotated[Path, typer.Option(help="Picture to write: .png, .svg or .pdf.")] = Path("series.png"),
    width: Annotated[float, typer.Option(min=3, max=40, help="Width of the picture in inches.")] = 10.0,
    csv: Annotated[Path | None, typer.Option(help="Write the numbers to this file, too.")] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="Recipe of the corpus: real observations are read again from its archives, and drawn."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Draw the series of a pixel with its uncertainty and quality.

    Dots are timesteps that hold a real observation (0 % synthetic). A corpus keeps no single observations: with
    --recipe they are read again from the archives, clear ones and masked ones.
    """
    from landloom.errors import NotFoundError
    from landloom.query.corpus import Corpus
    from landloom.query.pixel_figure import pixel_csv, pixel_figure, write_picture
    from landloom.query.pixel_series import SYNTHETIC, SampleSeries, spectral
    from landloom.store.local import LocalStore

    if out.suffix.lower() not in PICTURES:
        raise typer.BadParameter(f"--out: got {out.name!r}, expected a file that ends in {', '.join(PICTURES)}")
    row, column = _pixel(pixel)
    opened = Corpus.open(corpus)
    whole = SampleSeries.read(opened, sample, product)
    for name in band or ():
        if name not in whole.bands:
            raise NotFoundError.of(f"band of {whole.item.key}", name, whole.bands)
    found, seen = whole.pixel(row, column), None
    if recipe is not None:
        from landloom.pipelines.observations import read_observations

        seen = read_observations(recipe, found)
    shown = band or spectral(whole.item, whole.bands)
    write_picture(pixel_figure(found, seen, bands=shown, width=width), out)
    if csv is not None:
        csv.parent.mkdir(parents=True, exist_ok=True)
        LocalStore(csv.parent).put(csv.name, pixel_csv(found, seen).encode())
    if as_json:
        say_json(found.document() | {"figure": str(out), "csv": None if csv is None else str(csv)})
        return
    real = int(found.observed.sum())
    kind = "with a real observation" if SYNTHETIC in found.quality else "with data"
    say(f"{found.sample}, row {row}, column {column}: {len(found.times)} timesteps of {found.product}, {real} {kind}")
    if seen is not None:
        say(f"  {len(seen.times)} observations read again, {int(seen.clear.sum())} of them clear by the mask")
    say(f"  wrote {out}" + ("" if csv is None else f" and {csv}"))
