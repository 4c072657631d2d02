"""`landloom download`, `verify`, `repair` and `diff`: bytes of a corpus, and proof of them."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landloom.cli.asking import CorpusName, PeriodOption, ProductOption, RegionOption, WhereOption, select
from landloom.reports.terminal import say, size

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
    app.command(epilog="Example: landloom download corpus out --where 'clc_3 >= 0.5' --product s2")(download)
    app.command(epilog="Example: landloom verify out")(verify)
    app.command(epilog="Example: landloom repair corpus out")(repair)
    app.command(epilog="Example: landloom diff corpus out --product s2")(diff)


def wanted_files(
    corpus: str, part: str | None, question: tuple[Any, ...], profile: str | None = None
) -> tuple[Any, list[Wanted], tuple[str, ...]]:
    """The corpus, the files of a part or of a question, and their products."""
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
    """The part that options name, if any.

    Raises:
        typer.BadParameter: more than one.
    """
    named = {*(name for name, given in flags.items() if given), *(() if part is None else (part,))}
    if len(named) > 1:
        raise typer.BadParameter(f"got {', '.join(sorted(named))}, expected one part")
    return next(iter(named), None)


def print_azcopy(corpus: Corpus, out: Path, part: str | None, question: tuple[Any, ...]) -> None:
    """The azcopy command for a part; for a question, also the list of files that it reads."""
    from landloom.query.transfer.parts import azcopy_command

    listed = None
    if part is None and any(question):
        listed = out.with_name(f"{out.name}.files.txt")
        select(corpus, *question).assets.write_list(listed)
    for line in azcopy_command(corpus.base, out, part or "all", listed):  # type: ignore[arg-type]
        say(line)


@contextmanager
def transfer_bar(plan: DownloadPlan) -> Iterator[Callable[[DownloadProgress], None]]:
    """A bar with rate and time left, on the error stream."""
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
    """Fetch what a plan misses; exit code 1 where a file did not come."""
    from landloom.query.transfer.download import download as run
    from landloom.query.transfer.stores import open_transfer_store

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
    all_: Annotated[bool, typer.Option("--all", help="Everything; as --part all.")] = False,
    labels: Annotated[bool, typer.Option("--labels", help="All labels; as --part labels.")] = False,
    stac: Annotated[bool, typer.Option("--stac", help="The STAC catalogue; as --part stac.")] = False,
    resources: Annotated[bool, typer.Option("--resources", help="Index and resources; as --part resources.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Say what would come, and how many bytes.")] = False,
    azcopy: Annotated[bool, typer.Option(help="Print the azcopy command instead.")] = False,
    profile: ProfileOption = None,
) -> None:
    """Fetch the files of a query, or a whole part; a second run fetches only what is missing."""
    chosen = chosen_part(part, {"all": all_, "labels": labels, "stac": stac, "resources": resources})
    question = (region, where, period, product)
    if azcopy:
        from landloom.query.corpus import Corpus

        print_azcopy(Corpus.open(corpus, profile=profile), out, chosen, question)
        return
    bring(corpus, out, chosen, question, profile=profile, dry_run=dry_run)


def bring(
    corpus: str, out: Path, part: str | None, question: tuple[Any, ...], *, profile: str | None, dry_run: bool
) -> None:
    """DownloadPlan a download, say what it comes to, and fetch it."""
    from landloom.query.transfer.destination import check_space, plan_download
    from landloom.query.transfer.parts import estimate_bytes, non_commercial, write_licences
    from landloom.query.transfer.stores import open_transfer_store

    opened, files, products = wanted_files(corpus, part, question, profile)
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
    try:
        fetch(plan, opened, profile)
    except typer.Exit:  # some files did not come; those that did have terms
        write_licences(opened, out)
        raise
    say(f"terms: {write_licences(opened, out)}")


def verify(
    out: FolderArgument,
    *,
    quick: Annotated[bool, typer.Option(help="Compare lengths only.")] = False,
) -> None:
    """Compare the files of a download with what came; exit code 1 if one is gone or changed."""
    from landloom.query.transfer.destination import verify as compare

    problems = compare(out, digests=not quick)
    for problem in problems:
        say(f"  {problem}")
    say(f"{out}: {len(problems)} problem(s)")
    if problems:
        raise typer.Exit(1)


def repair(corpus: CorpusName, out: FolderArgument, *, profile: ProfileOption = None) -> None:
    """Fetch again what `verify` finds wrong."""
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
    part: PartOption = None,
) -> None:
    """Print what a download lacks of a query (-), and what it has beyond it (+)."""
    from landloom.query.transfer.destination import diff as compare

    _, files, _ = wanted_files(corpus, part, (region, where, period, product))
    missing, extra = compare(files, out)
    for path in missing:
        say(f"- {path}")
    for path in extra:
        say(f"+ {path}")
