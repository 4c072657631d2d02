"""`landloom download`, `verify`, `repair` and `diff`: bytes of a corpus, and proof of them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landloom.cli.asking import CorpusName, PeriodOption, ProductOption, RegionOption, WhereOption, select
from landloom.cli.console import say, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landloom.query.destination import Plan, Wanted
    from landloom.query.download import Step

FolderArgument = Annotated[Path, typer.Argument(help="Folder of a download.")]
ProfileOption = Annotated[str | None, typer.Option(help="Section of the AWS credentials file; never printed.")]
PartOption = Annotated[
    Literal["all", "imagery", "labels", "stac", "resources"] | None,
    typer.Option("--part", help="A whole part instead of a query."),
]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(epilog="Example: landloom download corpus out --where 'clc_3 >= 0.5' --product s2")(download)
    app.command(epilog="Example: landloom verify out")(verify)
    app.command(epilog="Example: landloom repair corpus out")(repair)
    app.command(epilog="Example: landloom diff corpus out --product s2")(diff)


def wanted_files(
    corpus: str, part: str | None, question: tuple[Any, ...]
) -> tuple[Any, Any, list[Wanted], tuple[str, ...]]:
    """The corpus, its manifests' store, the files of a part or of a question, and their products."""
    from landloom.query.corpus import Corpus
    from landloom.query.parts import part_files, selection_files
    from landloom.store.open import open_store

    opened = Corpus.open(corpus)
    store = open_store(opened.base.rstrip("/"))
    readable = store if store.exists("manifest/corpus.parquet") else None
    if part is not None:
        return opened, store, part_files(opened, part, readable), opened.products  # type: ignore[arg-type]
    selection = select(corpus, *question)
    return opened, store, selection_files(selection, readable), tuple(selection.products)


@contextmanager
def transfer_bar(plan: Plan) -> Iterator[Callable[[Step], None]]:
    """A bar with rate and time left, on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("downloading"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=len(plan.missing), rate="")

        def show(step: Step) -> None:
            elapsed = max(bars.tasks[0].elapsed or 0, 1e-3)
            bars.update(task, completed=step.files, rate=f"{size(step.bytes / elapsed)}/s, {step.at_once} at once")

        yield show


def fetch(plan: Plan, opened: Any, profile: str | None) -> None:
    """Fetch what a plan misses; exit code 1 where a file did not come."""
    from landloom.query.download import download as run
    from landloom.query.stores import open_transfer_store

    store = open_transfer_store(opened.base, profile)
    with transfer_bar(plan) as progress:
        done = run(plan, store, corpus=f"{opened.name} {opened.version}", base=opened.base, progress=progress)
    say(f"{done.fetched:,} files came ({size(done.bytes)}), {done.present:,} were there")
    for problem in done.failed:
        say(f"  {problem}")
    if done.failed:
        raise typer.Exit(1)


def download(
    corpus: CorpusName,
    out: Annotated[Path, typer.Argument(help="Folder to download into.")],
    *,
    region: RegionOption = None,
    where: WhereOption = None,
    period: PeriodOption = None,
    product: ProductOption = None,
    part: PartOption = None,
    dry_run: Annotated[bool, typer.Option(help="Say what would come, and how many bytes.")] = False,
    azcopy: Annotated[bool, typer.Option(help="Print the azcopy command for a whole part instead.")] = False,
    profile: ProfileOption = None,
) -> None:
    """Fetch the files of a query, or a whole part; a second run fetches only what is missing."""
    from landloom.query.destination import check_space, plan_download
    from landloom.query.parts import azcopy_command, estimate_bytes, non_commercial, write_licences
    from landloom.query.stores import open_transfer_store

    opened, _, files, products = wanted_files(corpus, part, (region, where, period, product))
    if azcopy:
        for line in azcopy_command(opened.base, out, part or "all"):
            say(line)
        return
    plan = plan_download(files, out)
    unknown = plan.unknown_sizes
    expected = estimate_bytes(open_transfer_store(opened.base, profile), plan.missing) if unknown else plan.known_bytes
    about = "about " if unknown else ""
    say(f"{len(plan.missing):,} files to fetch, {about}{size(expected)}; {plan.present:,} are there")
    for key in non_commercial(opened, products):
        say(f"  warning: the terms of {key} exclude commercial use")
    check_space(plan, expected)
    if dry_run:
        return
    fetch(plan, opened, profile)
    say(f"terms: {write_licences(opened, products, out)}")


def verify(
    out: FolderArgument,
    *,
    quick: Annotated[bool, typer.Option(help="Compare lengths only.")] = False,
) -> None:
    """Compare the files of a download with what came; exit code 1 if one is gone or changed."""
    from landloom.query.destination import verify as compare

    problems = compare(out, digests=not quick)
    for problem in problems:
        say(f"  {problem}")
    say(f"{out}: {len(problems)} problem(s)")
    if problems:
        raise typer.Exit(1)


def repair(corpus: CorpusName, out: FolderArgument, *, profile: ProfileOption = None) -> None:
    """Fetch again what `verify` finds wrong."""
    from landloom.query.corpus import Corpus
    from landloom.query.destination import plan_repair

    fetch(plan_repair(out), Corpus.open(corpus), profile)


def diff(
    corpus: CorpusName,
    out: FolderArgument,
    *,
    region: RegionOption = None,
    where: WhereOption = None,
    period: PeriodOption = None,
    product: ProductOption = None,
    part: PartOption = None,
) -> None:
    """Print what a download lacks of a query (-), and what it has beyond it (+)."""
    from landloom.query.destination import diff as compare

    _, _, files, _ = wanted_files(corpus, part, (region, where, period, product))
    missing, extra = compare(files, out)
    for path in missing:
        say(f"- {path}")
    for path in extra:
        say(f"+ {path}")
