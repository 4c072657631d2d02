"""`landloom rehearse`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landloom.reports.options import HERE, JsonOption, RecipeOption, RequestsOption, WorkersOption, named_values
from landloom.reports.terminal import ProgressBars, cores, note, say, say_json, say_table

if TYPE_CHECKING:
    from landloom.pipelines.rehearsal.result import Rehearsal

FOLDER = Path("rehearsal")
EXAMPLE = "Example: landloom rehearse landloom.yaml --samples 2000 --months 1 --price read=0.0004"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=EXAMPLE)(rehearse)


def rehearse(
    recipe: RecipeOption = HERE,
    *,
    samples: Annotated[int, typer.Option(min=1, help="Samples to build.")] = 2_000,
    months: Annotated[
        int | None, typer.Option(min=1, help="Only the first months of each period; by default all of it.")
    ] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="Only this product; may be repeated. Labels are always made.")
    ] = None,
    workers: WorkersOption = 0,
    _requests: RequestsOption = None,
    latency: Annotated[float, typer.Option(min=0, help="Milliseconds before each answer of the archive.")] = 40.0,
    bandwidth: Annotated[float, typer.Option(min=0.001, help="Megabytes a second that it sends.")] = 125.0,
    unavailable: Annotated[float, typer.Option(min=0, max=50, help="Percent of requests refused (503).")] = 0.1,
    cut: Annotated[float, typer.Option(min=0, max=25, help="Percent of answers cut in the middle.")] = 0.01,
    absent: Annotated[float, typer.Option(min=0, max=25, help="Percent answered 404 once.")] = 0.01,
    check: Annotated[
        Literal["part", "all"],
        typer.Option(help="Compare bytes with a build without faults: of a small part, or of all samples, too."),
    ] = "part",
    price: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=AMOUNT, repeated: read (1,000 requests), traffic (GB read), worker (hour), write (1,000 files), "
            "storage (GB and month)."
        ),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the rehearsal; an earlier one in it is replaced.")] = FOLDER,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the rehearsed corpora.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build a part of a recipe from a synthetic archive with latency and faults; measure it, and extrapolate."""
    from landloom.pipelines.rehearsal.rehearse import clear, write_pages
    from landloom.pipelines.rehearsal.rehearse import rehearse as run_rehearsal
    from landloom.pipelines.rehearsal.settings import Settings
    from landloom.simulate.remote.behaviour import Behaviour

    settings = Settings(
        samples=samples,
        months=months,
        products=tuple(product or ()),
        workers=cores(workers),
        behaviour=Behaviour(
            latency=latency / 1000,
            bandwidth=bandwidth * 1e6,
            unavailable=unavailable / 100,
            cut=cut / 100,
            absent=absent / 100,
        ),
        check=check,
        prices=_prices(price),
    )
    with ProgressBars() as bars:
        done = run_rehearsal(recipe, out, settings, listener=bars)
    page = write_pages(done, out)
    if not keep:
        clear(out)
    if as_json:
        say_json(done.document())
    else:
        _say(done, page)
    if not all(one.equal for one in done.checks):
        raise typer.Exit(1)


def _prices(texts: list[str] | None) -> dict[str, float]:
    found = {}
    for name, text in named_values("--price", texts, "read=0.0004").items():
        try:
            found[name] = float(text)
        except ValueError as error:
            raise typer.BadParameter(f"--price {name}: got {text!r}, expected an amount such as 0.0004") from error
    return found


def _say(done: Rehearsal, page: Path) -> None:
    from landloom.pipelines.rehearsal.words import cost_rows, fault_words, main_rows, product_rows, request_rows

    say_table(f"rehearsal of {done.name}", ("", "measured", "the whole recipe"), main_rows(done))
    header = ("product", "timesteps built", "units", "of a unit", "files of the whole", "bytes")
    say_table("products", header, product_rows(done))
    say_table("requests", ("kind", "measured", "bytes", "of the whole"), request_rows(done))
    if done.settings.prices:
        rows = cost_rows(done.whole, dict(done.settings.prices))
        say_table("cost, in the currency of the prices", ("for", "price", "amount"), rows)
    for line in fault_words(done):
        say(f"  {line}")
    for line in done.unknown:
        note(f"not known: {line}")
    say(f"  page: {page}; numbers: {json.dumps(str(page.with_suffix('.json')))[1:-1]}")
