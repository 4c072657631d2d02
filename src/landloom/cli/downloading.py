"""`landloom download`, `verify`, `repair` and `diff`: files of a corpus and their digests."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landloom.cli.asking import (
    CorpusName,
    PeriodOption,
    ProductOption,
    RegionOption,
    SplitOption,
    SplitSetOption,
    WhereOption,
    select,
)
from landloom.reports.options import ReadingCommand
from landloom.reports.talk import TALK
from landloom.reports.terminal import ProgressBars, say, size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from landloom.query.corpus import Corpus
    from landloom.query.transfer.destination import DownloadPlan, Wanted
    from landloom.query.transfer.download import DownloadProgress

FolderArgument = Annotated[Path, typer.Argument(help="Folder of a download.")]
ProfileOption = Annotated[str | None, typer.Option(help="Section of the AWS credentials file; never printed.")]
PartOption = Annotated[
    Literal["all", "imagery", "labels", "stac", "resources"] | None,
    typer.Option("--part", help="A whole part instead of a query."),
]


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(cls=ReadingCommand, epilog="Example: landloom download corpus out --where 'clc_3 >= 0.5' --product s2")(
        download
    )
    app.command(epilog="Example: landloom verify out")(verify)
    app.command(cls=ReadingCommand, epilog="Example: landloom repair corpus out")(repair)
    app.command(cls=ReadingCommand, epilog="Example: landloom diff corpus out --product s2")(diff)


def wanted_files(
    corpus: str, part: str | None, question: tuple[Any, ...], profile: str | None = None
) -> tuple[Any, list[Wanted], tuple[str, ...]]:
    """The corpus, the files of a part or of a query, and their products."""
    from landloom.query.corpus import Corpus
    from landloom.query.transfer.parts import part_files, products_of_part, selection_files
    from landloom.store.open import open_store

    opened = Corpus.open(corpus, profile=profile)
    store = open_store(opened.base.rstrip("/"), profile)
    readable = store if store.exists("manifest/corpus.parquet") else None
    if part is not None:
        files = part_files(opened, part, readable)  # type: ignore[arg-type]
        return opened, files, products_of_part(opened, part)
    selection = select(opened, *question)
    return opened, selection_files(selection, readable), tuple(selection.products)


def chosen_part(part: str | None, flags: dict[str, bool]) -> str | None:
    """The part named by the options, if any.

    Raises:
        typer.BadParameter: more than one.
    """
    named = {*(name for name, given in flags.items() if given), *(() if part is None else (part,))}
    if len(named) > 1:
        raise typer.BadParameter(f"got {', '.join(sorted(named))}, expected one part")
    return next(iter(named), None)


def print_azcopy(corpus: Corpus, out: Path, part: str | None, question: tuple[Any, ...]) -> None:
    """Print the azcopy command for a part; for a query, also write the list of files that it reads."""
    from landloom.query.transfer.parts import azcopy_command

    listed = None
    if part is None and any(question):
        listed = out.with_name(f"{out.name}.files.txt")
        select(corpus, *question).assets.write_list(listed)
    for line in azcopy_command(corpus.base, out, part or "all", listed):  # type: ignore[arg-type]
        say(line)


@contextmanager
def transfer_bar(plan: DownloadPlan) -> Iterator[Callable[[DownloadProgress], None]]:
    """A progress bar with rate and remaining time, on standard error, or what the command is told to show instead."""
    if TALK.get().progress != "auto":
        with ProgressBars() as shown:
            shown.started("downloading", len(plan.missing))
            told = 0

            def tell(step: DownloadProgress) -> None:
                nonlocal told
                for _ in range(step.files - told):
                    shown.advanced("file", None)
                told = max(told, step.files)

            yield tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("downloading"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=len(plan.missing), rate="")

        def show(step: DownloadProgress) -> None:
            elapsed = max(bars.tasks[0].elapsed or 0, 1e-3)
            bars.update(task, completed=step.files, rate=f"{size(step.bytes / elapsed)}/s, {step.at_once} at once")

        yield show


def fetch(plan: DownloadPlan, opened: Any, profile: str | None) -> None:
    """Fetch the missing files of a plan; exit code 1 if a file failed."""
    from landloom.query.transfer.download import download as run
    from landloom.query.transfer.stores import open_transfer_store

    store = open_transfer_store(opened.base, profile)
    with transfer_bar(plan) as progress:
        done = run(plan, store, corpus=f"{opened.name} {opened.version}", base=opened.base, progress=progress)
    say(f"downloaded {done.fetched:,} files ({size(done.bytes)}), {done.present:,} already present")
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
    split: SplitOption = None,
    split_set: SplitSetOption = None,
    part: PartOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Everything; same as --part all.")] = False,
    labels: Annotated[bool, typer.Option("--labels", help="All labels; same as --part labels.")] = False,
    stac: Annotated[bool, typer.Option("--stac", help="The STAC catalogue; same as --part stac.")] = False,
    resources: Annotated[
        bool, typer.Option("--resources", help="Index and resources; same as --part resources.")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Show the number of files and bytes, download nothing.")] = False,
    azcopy: Annotated[bool, typer.Option(help="Print the azcopy command instead.")] = False,
    profile: ProfileOption = None,
) -> None:
    """Download the files of a query, or a whole part; a second run downloads only missing files."""
    chosen = chosen_part(part, {"all": all_, "labels": labels, "stac": stac, "resources": resources})
    question = (region, where, period, product, split_set, split)
    check_question(chosen, question)
    if azcopy:
        from landloom.query.corpus import Corpus

        print_azcopy(Corpus.open(corpus, profile=profile), out, chosen, question)
        return
    bring(corpus, out, chosen, question, profile=profile, dry_run=dry_run)


def check_question(part: str | None, question: tuple[Any, ...]) -> None:
    """Refuse a query that would be passed over."""
    if part is not None and any(question):
        raise typer.BadParameter(f"got a query beside the whole part {part}, expected one of them")


def bring(
    corpus: str, out: Path, part: str | None, question: tuple[Any, ...], *, profile: str | None, dry_run: bool
) -> None:
    """Plan a download, print its size, and run it."""
    from landloom.query.transfer.destination import check_space, plan_download
    from landloom.query.transfer.parts import estimate_bytes, non_commercial, write_licences
    from landloom.store.open import open_store

    opened, files, products = wanted_files(corpus, part, question, profile)
    plan = plan_download(files, out)
    unknown = plan.unknown_sizes
    expected = estimate_bytes(open_store(opened.base, profile), plan.missing) if unknown else plan.known_bytes
    about = "about " if unknown else ""
    say(f"{len(plan.missing):,} files to download, {about}{size(expected)}; {plan.present:,} already present")
    for key in non_commercial(opened, products):
        say(f"  warning: the terms of {key} exclude commercial use")
    check_space(plan, expected)
    if dry_run:
        for problem in plan.refused:
            say(f"  {problem.what}")
        return
    try:
        fetch(plan, opened, profile)
    except typer.Exit:  # some files failed; the others still need their terms
        write_licences(opened, out)
        raise
    say(f"terms: {write_licences(opened, out)}")


def verify(
    out: FolderArgument,
    *,
    quick: Annotated[bool, typer.Option(help="Compare file sizes only.")] = False,
) -> None:
    """Compare a download with its recorded digests; exit code 1 if a file is missing or changed."""
    from landloom.query.transfer.destination import verify as compare

    problems = compare(out, digests=not quick)
    for problem in problems:
        say(f"  {problem}")
    say(f"{out}: {len(problems)} problem(s)")
    if problems:
        raise typer.Exit(1)


def repair(corpus: CorpusName, out: FolderArgument, *, profile: ProfileOption = None) -> None:
    """Download again the files that `verify` reports."""
    from landloom.query.corpus import Corpus
    from landloom.query.transfer.destination import plan_repair

    fetch(plan_repair(out), Corpus.open(corpus, profile=profile), profile)


def diff(
    corpus: CorpusName,
    out: FolderArgument,
    *,
    region: RegionOption = None,
    where: WhereOption = None,
    period: PeriodOption = None,
    product: ProductOption = None,
    split: SplitOption = None,
    split_set: SplitSetOption = None,
    part: PartOption = None,
) -> None:
    """Compare a download with a query: print missing files (-) and additional files (+)."""
    from landloom.query.transfer.destination import diff as compare

    question = (region, where, period, product, split_set, split)
    check_question(part, question)
    _, files, _ = wanted_files(corpus, part, question)
    missing, extra = compare(files, out)
    for path in missing:
        say(f"- {path}")
    for path in extra:
        say(f"+ {path}")
