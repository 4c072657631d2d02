"""`landloom init`, `plan` and `simulate`: commands that come before a build."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landloom.errors import counted
from landloom.pipelines.estimates.work import BANDWIDTH, GIB_READ, THOUSAND_GETS, Rates
from landloom.reports.options import HERE, JsonOption, OutOption, ReadingCommand, RecipeOption, WorkersOption
from landloom.reports.terminal import ProgressBars, cores, say, say_json, say_table, size

if TYPE_CHECKING:
    from landloom.pipelines.estimate import Estimate
    from landloom.pipelines.estimates.headers import Headers
    from landloom.pipelines.estimates.work import Bill, Work

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
    out: OutOption = None,
    search: Annotated[bool, typer.Option(help="Draw the samples and search the archive, if all inputs exist.")] = True,
    measure: Annotated[
        bool,
        typer.Option(
            help="Read headers of up to 64 source files, and make a small part of one tile, to measure bytes, requests "
            "and time; only the headers are kept."
        ),
    ] = True,
    rate: Annotated[
        float, typer.Option(min=1, help="Bytes per second that all workers together receive; 1 Gbit/s by default.")
    ] = BANDWIDTH,
    price_requests: Annotated[
        float, typer.Option(min=0, help="US dollars for 1,000 GET requests; that of Amazon S3 by default.")
    ] = THOUSAND_GETS,
    price_gib: Annotated[
        float, typer.Option(min=0, help="US dollars for a GiB read; nothing by default, as within a cloud's region.")
    ] = GIB_READ,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Estimate samples, files, bytes, time and cost of a recipe, before anything is built.

    What placing the samples computes is kept, and a build in the same place does not compute it again.
    """
    from landloom.engine.executors import executor_factory
    from landloom.pipelines.estimate import estimate_recipe

    count = cores(workers)
    rates = Rates(bandwidth=rate, workers=count, thousand_gets=price_requests, gib=price_gib)
    with ProgressBars() as bars:
        numbers = estimate_recipe(
            recipe,
            out=out,
            search=search,
            measure=measure,
            rates=rates,
            factory=executor_factory(count),
            listener=bars,
        )
    if as_json:
        say_json(numbers.document())
    else:
        _say_estimate(numbers, rates)


def _say_estimate(numbers: Estimate, rates: Rates) -> None:
    """Print the figures of a plan."""
    rows = []
    for p in numbers.products:
        chips, about = (UNKNOWN, UNKNOWN) if p.chips is None or p.size is None else (p.chips, size(p.size))
        rows.append((p.key, p.role, p.timesteps, chips, about, "here" if p.made_here else "elsewhere", p.source))
    header = ("product", "role", "timesteps", "chips", "about", "made", "bytes from")
    say_table(f"{numbers.name}", header, rows)
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
    if numbers.archive_bytes is not None:
        say(f"  {'their files':<16}{size(numbers.archive_bytes)}, of which a build reads the blocks that samples touch")
    say(f"  {'worker memory':<16}{size(numbers.memory)}")
    if numbers.headers is not None:
        _say_headers(numbers.headers)
    if numbers.work is not None and numbers.bill is not None:
        _say_work(numbers.work, numbers.bill, rates)
    if numbers.unmeasured:
        say(f"  not in this: {', '.join(numbers.unmeasured)}")
    if not numbers.placed:
        say("\nall numbers are the recipe's own: no sample was placed, no scene found, nothing measured")
    if numbers.missing:
        say(f"\nnot there yet: {', '.join(numbers.missing)}")


def _say_headers(headers: Headers) -> None:
    """Print what the headers of some files say."""
    most = f"{size(headers.work.read)} in {headers.work.requests:,.0f} requests"
    failed = f"; {headers.unreadable} more could not be read" if headers.unreadable else ""
    say(f"  {'to read, at most':<16} {most}: every block that samples touch, by the headers of")
    say(f"  {'':<16}{counted(headers.files, 'file')} of {', '.join(headers.products) or 'no product'}{failed}")


def _say_work(work: Work, bill: Bill, rates: Rates) -> None:
    """Print what a build reads, writes and computes."""
    say(f"  {'to read':<16}{size(work.read)} in {work.requests:,.0f} requests")
    say(f"  {'to write':<16}{size(work.written)}")
    reading = f"{bill.reading / 3600:,.1f} h of reading at {size(rates.bandwidth)}/s"
    say(f"  {'time':<16}at least {bill.seconds / 3600:,.1f} h: {reading}, {bill.computing / 3600:,.1f} h of computing")
    say(f"  {'':<16}by {counted(rates.workers, 'worker')} ({work.cpu / 3600:,.1f} CPU hours)")
    say(f"  {'cost':<16}{bill.cost:,.2f} USD for requests and bytes, if the archive charges its readers")


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
