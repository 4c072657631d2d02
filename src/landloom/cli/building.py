"""`landloom build`, `status`, `validate`, `report` and `demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from landloom.errors import InvalidInputError, counted
from landloom.reports.options import (
    HERE,
    BudgetOption,
    JsonOption,
    OutOption,
    PriceOption,
    ReadingCommand,
    RecipeOption,
    RequestsOption,
    WorkersOption,
)
from landloom.reports.terminal import ProgressBars, cores, note, say, say_json, say_table, size

if TYPE_CHECKING:
    from collections.abc import Callable

    from landloom.engine.context import CheckSources
    from landloom.engine.executors import Factory
    from landloom.pipelines.build import BuildReport
    from landloom.pipelines.status import Status
    from landloom.store.network.traffic import Counts

CORPUS = Path("corpus")


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command(cls=ReadingCommand, epilog="Example: landloom build landloom.yaml --workers 4")(build)
    app.command(epilog="Example: landloom status corpus")(status)
    app.command(cls=ReadingCommand, epilog="Example: landloom validate corpus --digest")(validate)
    app.command(epilog="Example: landloom report corpus")(report)


def build(
    recipe: RecipeOption = HERE,
    *,
    out: OutOption = None,
    workers: WorkersOption = 0,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, instead of local workers.")
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(help="`module:function` that makes a concurrent.futures.Executor, instead of local workers."),
    ] = None,
    _requests: RequestsOption = None,
    _budget: BudgetOption = None,
    _price: PriceOption = None,
    allow_missing: Annotated[bool, typer.Option(help="Publish without the units that failed.")] = False,
    prepare: Annotated[bool, typer.Option(help="Only do what all shards need: place samples, find scenes.")] = False,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Only make the units of one of N equal parts; publish nothing.")
    ] = None,
    finish: Annotated[bool, typer.Option(help="Join the shards and publish; build nothing that they lack.")] = False,
    check_sources: Annotated[
        Literal["changed", "all", "none"],
        typer.Option(help="Remote source files of finished units to ask for their versions; by default those updated."),
    ] = "changed",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be made; make nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Build a corpus, or its missing parts; an interrupted build continues where it stopped."""
    from landloom.engine.executors import executor_factory
    from landloom.pipelines.build import build as run_build

    factory = executor_factory(cores(workers), scheduler, executor)
    if dry_run:
        if prepare or finish or shard is not None:
            raise InvalidInputError("got --dry-run with --prepare, --shard or --finish, expected it alone")
        _say_preview(recipe, out, factory, check_sources, as_json=as_json)
        return
    if prepare or shard is not None:
        alone = prepare + finish + (shard is not None) == 1
        _build_part(recipe, out, factory, shard, check_sources, as_json=as_json, alone=alone)
        return
    with ProgressBars() as bars:
        done = run_build(
            recipe,
            out=out,
            factory=factory,
            listener=bars,
            allow_missing=allow_missing,
            finish=finish,
            check_sources=check_sources,
        )
    if as_json:
        say_json(done.document())
    else:
        say_build(done)


def _say_preview(
    recipe: Path, out: str | None, factory: Factory, check_sources: CheckSources, *, as_json: bool
) -> None:
    """Print what a build would do."""
    from landloom.pipelines.build import preview

    with ProgressBars() as bars:
        found = preview(recipe, out=out, factory=factory, listener=bars, check_sources=check_sources)
    if as_json:
        say_json(found.document())
        return
    title = f"{found.corpus}: {counted(found.samples, 'sample')}, {counted(found.scenes, 'scene')}"
    say_table(title, ("product", "units done", "to make"), found.rows)
    say("  nothing was built")


def _build_part(
    recipe: Path,
    out: str | None,
    factory: Factory,
    shard: str | None,
    check_sources: CheckSources,
    *,
    as_json: bool,
    alone: bool,
) -> None:
    """Prepare all shards, or build one."""
    from landloom.engine.shards import Shard
    from landloom.pipelines.shards.build import build_shard, prepare

    if not alone:
        raise InvalidInputError("got several of --prepare, --shard and --finish, expected one of them")
    with ProgressBars() as bars:
        if shard is None:
            units = prepare(recipe, out=out, factory=factory, listener=bars, check_sources=check_sources)
            said, document = f"{counted(units, 'unit')} to build in shards", {"units": units}
        else:
            part = Shard.parse(shard)
            done = build_shard(recipe, part, out=out, factory=factory, listener=bars, check_sources=check_sources)
            said = f"shard {done.shard}: {done.units_run} of {counted(done.units, 'unit')} run" + (
                f", {done.left} left to --finish" if done.left else ""
            )
            document = done.document()
    if as_json:
        say_json(document)
    else:
        say(said)


def say_build(done: BuildReport) -> None:
    """Print the result of a build."""
    say_table(
        f"{done.name} {done.version}: {counted(done.samples, 'sample')} in {counted(done.tiles, 'tile')}, "
        f"{counted(done.scenes, 'scene')}",
        ("part", "files", "bytes"),
        [(part, count, size(total)) for part, count, total in done.parts],
    )
    for line in done.notes:
        note(line)
    asked = f", {counted(done.sources_asked, 'source file')} asked for versions" if done.sources_asked else ""
    say(f"  {done.units_run} of {counted(done.units, 'unit')} run{asked}, {done.seconds:.0f} s; report: {done.report}")


def status(
    corpus: Annotated[str, typer.Argument(help="Folder or address of the corpus.")] = str(CORPUS),
    *,
    as_json: JsonOption = False,
) -> None:
    """Show which units are done, failed or missing."""
    from landloom.pipelines.status import read_status

    state = read_status(corpus)
    if as_json:
        say_json(state.document())
        return
    rows = [(row.product, row.done, row.failed, row.missing) for row in state.rows]
    say_table(f"{corpus}", ("product", "done", "failed", "missing"), rows)
    if not rows:
        say("  nothing is planned yet: the build ended while it placed samples; continue it with: landloom build")
    missing = sum(row.missing for row in state.rows)
    if missing and state.pace:
        say(f"  {60 * state.pace:.1f} units a minute lately: about {missing / state.pace / 3600:.1f} hours left")
    if state.hosts:
        header = ("host", "requests", "retries", "given up", "bytes", "lately", *(("cost",) if state.costs else ()))
        say_table("requests", header, [_host(name, counts, state) for name, counts in state.hosts.items()])
    for failure in state.failures:
        say(f"  {failure}")
    if state.shards:
        say(f"  shards with something left: {', '.join(state.shards)}")


def _host(name: str, counts: Counts, state: Status) -> tuple[object, ...]:
    rate, price = f"{size(state.rates.get(name, 0.0))}/s", state.costs.get(name)
    costs = () if not state.costs else ("" if price is None else f"{price:,.2f}",)
    return name, counts.requests, counts.retries, counts.failures, size(counts.size), rate, *costs


def validate(
    corpus: Annotated[str, typer.Argument(help="Folder or address of the corpus.")] = "corpus",
    *,
    digests: Annotated[
        bool, typer.Option("--bytes/--sizes", help="Compare the digest of every file, or sizes alone.")
    ] = True,
    schemas: Annotated[Path | None, typer.Option(help="Folder with the schemas of STAC extensions.")] = None,
    network: Annotated[bool, typer.Option("--network", help="Download missing schemas.")] = False,
    digest: Annotated[bool, typer.Option("--digest", help="Print one hash over manifests and corpus.json.")] = False,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Check documents, structure, and the index against the files; every problem is listed."""
    from landloom.corpus.audit.validate import audit
    from landloom.corpus.audit.validate import digest as corpus_digest
    from landloom.engine.executors import executor_factory
    from landloom.store.open import open_store

    store = open_store(corpus)
    if digest:
        _say_digest(corpus_digest(store), as_json=as_json)
        return
    fetch, factory = _fetch(store.uri) if network else None, executor_factory(cores(workers))
    result = audit(store, schemas=schemas, digests=digests, fetch=fetch, factory=factory)
    if as_json:
        problems = [{"where": p.where, "what": p.what} for p in result.problems]
        say_json(
            {
                "problems": problems,
                "unchecked": list(result.unchecked),
                "notes": list(result.notes),
                "files": result.files,
                "documents": result.documents,
            }
        )
    else:
        for problem in result.problems:
            say(f"  {problem}")
        for line in result.notes:
            note(line)
        for line in result.unchecked:
            say(f"  not checked: {line}")
        if result.unchecked and not network:
            say("  give a folder of schemas with --schemas, or download them with --network")
        numbers = (result.files, "file"), (result.documents, "document"), (len(result.problems), "problem")
        say(f"{corpus}: {', '.join(counted(count, noun) for count, noun in numbers)}")
    if result.problems:
        raise typer.Exit(1)


def _say_digest(digest: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"digest": digest})
    else:
        say(digest)


def _fetch(document: str) -> Callable[[str], bytes]:
    from functools import partial

    from landloom.store.href_documents import HrefDocuments

    return partial(HrefDocuments().read, document=document)


def report(
    corpus: Annotated[str, typer.Argument(help="Folder or address of the corpus.")] = str(CORPUS),
) -> None:
    """Write `report.html`: one page with maps, distributions, example chips, failures and timings."""
    from landloom.engine.place import JOURNAL, Place
    from landloom.pipelines.registry import REGISTRY
    from landloom.publication.report import write_report
    from landloom.store.open import open_store

    place = Place.of(corpus)
    place.fetch(JOURNAL)
    say(f"wrote {write_report(place.folder, REGISTRY, open_store(place.uri))}")
