"""`landloom demo` and its journeys: a simulated world, and a corpus built from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landloom.cli.building import say_build
from landloom.errors import counted
from landloom.reports.options import JsonOption, TalkingGroup, WorkersOption
from landloom.reports.terminal import ProgressBars, cores, note, say, say_json, say_table, size

DEMO = Path("out/demo")
PARCELS = Path("out/demo-parcels")
GRANULES = Path("out/demo-landcovernet")
FUSED = Path("out/demo-fused")
PEOPLE = Path("out/demo-annotate")
TRAINED = Path("out/demo-train")


demos = typer.Typer(
    help="Simulate a small world, build a corpus from it, validate it, and run a query; or show another journey.",
    cls=TalkingGroup,
    invoke_without_command=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Add the demos: one that comes first, and one for each journey."""
    demos.callback()(demo)
    journeys = (demo_query, demo_parcels, demo_landcovernet, demo_fused, demo_annotate, demo_train)
    for function, out in zip(journeys, (DEMO, PARCELS, GRANULES, FUSED, PEOPLE, TRAINED), strict=True):
        name = function.__name__.removeprefix("demo_")
        demos.command(name, epilog=f"Example: landloom demo {name} --out {out}")(function)
    app.add_typer(demos, name="demo", epilog="Example: landloom demo --out out/demo")


def demo(
    context: typer.Context,
    *,
    out: Annotated[Path, typer.Option(help="Folder for the archive and the corpus.")] = DEMO,
    workers: WorkersOption = 0,
) -> None:
    """Simulate a small world, build a corpus from it, validate it, and run a query; or show another journey."""
    if context.invoked_subcommand is not None:
        return
    from landloom.pipelines.demos.cells import run_demo

    with ProgressBars() as bars:
        done = run_demo(out, listener=bars, workers=cores(workers))
    say_build(done.build)
    say(f"  validated: {done.checked:,} files and documents, no problem")
    samples, files = counted(done.build.samples, "sample"), counted(done.assets, "file")
    say(f"  query {done.query!r}: {done.found} of {samples}, {files}")


def demo_query(
    out: Annotated[Path, typer.Option(help="Folder of the demo; its corpus is built if it is missing.")] = DEMO,
    *,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Query the demo corpus by box, by labels and by both, download and verify a subset, and query its server."""
    from landloom.pipelines.demos.query import run_demo_query

    with ProgressBars() as bars:
        done = run_demo_query(out, listener=bars, workers=cores(workers))
    if as_json:
        say_json(done.document())
        return
    rows = [(step.name, step.asked, step.answer, f"{1e3 * step.seconds:,.0f} ms") for step in done.steps]
    say_table(f"{done.corpus}", ("step", "asked", "answer", "time"), rows)
    say(f"next: landloom serve {done.corpus}")


def demo_parcels(
    out: Annotated[Path, typer.Option(help="Folder for the archive, the corpus and the samples.")] = PARCELS,
    *,
    workers: WorkersOption = 0,
) -> None:
    """Simulate scenes and parcels; choose scenes, rasterise, build, validate, export pickles, write a report page."""
    from landloom.engine.executors import executor_factory
    from landloom.pipelines.demos.parcels import run_demo_parcels

    with ProgressBars() as bars:
        done = run_demo_parcels(out, factory=executor_factory(cores(workers)), listener=bars, workers=cores(workers))
    built = done.build
    products = f"{done.scenes} products, {done.ordered} of them ordered from the archive"
    counts = f"{built.samples:,} samples, {done.rasters.parcels:,} parcels, {products}"
    say(f"{built.name} {built.version}: {counts}; page: {done.page}")
    say(f"  validated: {done.checked:,} files and documents, no problem")
    say(f"  wrote {done.samples.files:,} pickles ({size(done.samples.size)}) to {done.samples.folder}")


def demo_landcovernet(
    out: Annotated[Path, typer.Option(help="Folder for the archive and the corpus.")] = GRANULES,
    *,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Simulate two granules; cut chips, fill series, predict guess labels, validate, write a report."""
    from landloom.engine.executors import executor_factory
    from landloom.pipelines.demos.landcovernet import run_demo_landcovernet

    count = cores(workers)
    with ProgressBars() as bars:
        done = run_demo_landcovernet(out, factory=executor_factory(count), listener=bars, workers=count)
    if as_json:
        say_json(done.build.document() | {"checked": done.checked, "page": str(done.page)})
        return
    built = done.build
    say(f"{built.samples} chips in {built.tiles} granules, {built.scenes} scenes")
    say(f"  validated: {done.checked:,} files and documents, no problem")
    for line in built.notes:
        note(line)
    say(f"  guesses: {done.page}")
    say(f"  report: {built.report}")


def demo_fused(
    out: Annotated[Path, typer.Option(help="Folder for the archives and the corpus.")] = FUSED,
    *,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Simulate two sensors; build composites, a fused five-day series and its quality layers; withhold and compare."""
    from landloom.engine.executors import executor_factory
    from landloom.pipelines.demos.fused import run_demo_fused

    count = cores(workers)
    with ProgressBars() as bars:
        done = run_demo_fused(out, factory=executor_factory(count), listener=bars, workers=count)
    if as_json:
        say_json(done.document())
        return
    say_build(done.build)
    say(f"  validated: {done.checked:,} files and documents, no problem")
    say_table("fused series at withheld scenes", *done.evaluation.table)
    say(f"  {done.evaluation.scenario}")
    say(f"  the series of a pixel: {done.picture}")


def demo_annotate(
    out: Annotated[Path, typer.Option(help="Folder for the archive, the corpus and the campaign.")] = PEOPLE,
    *,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Let three simulated annotators label a campaign over HTTP; derive the consensus, write a report."""
    from landloom.engine.executors import executor_factory
    from landloom.pipelines.demos.annotate import PEOPLE as STATED
    from landloom.pipelines.demos.annotate import run_demo_annotate

    count = cores(workers)
    with ProgressBars() as bars:
        done = run_demo_annotate(out, factory=executor_factory(count), listener=bars, workers=count)
    if as_json:
        say_json(done.document())
        return
    skills = {one.name: (f"{one.skill:.0%}", f"{one.copying:.0%}") for one in STATED}
    rows = [
        (one.name, *skills.get(one.name, ("expert", "–")), one.submissions, f"{one.seconds / 60:.0f} min")
        for one in done.done
    ]
    say_table(
        f"{done.folder}: {counted(done.tasks, 'task')}, {done.references} of them references",
        ("annotator", "stated skill", "stated copy rate", "submissions", "simulated time"),
        rows,
    )
    shares = ", ".join(f"{name} {share:.2%}" for name, share in done.right.items())
    say(f"  pixels as in the simulated world: {shares}")
    say(f"  {done.consensus.product} is in the corpus, by {done.consensus.method}; report: {done.consensus.page}")
    say(f"next: landloom annotate serve {done.folder}")
    say(f"  sign in on its page as {done.visitor} with the password {done.password} (made anew by each run)")


def demo_train(
    out: Annotated[Path, typer.Option(help="Folder for the archive, the corpus and the models.")] = TRAINED,
    *,
    workers: WorkersOption = 0,
    as_json: JsonOption = False,
) -> None:
    """Build the demo corpus, split it with a gap, measure it, train three models, compare them on one page."""
    from landloom.training import require_training

    require_training("landloom demo train")
    from landloom.pipelines.demos.train import run_demo_train

    with ProgressBars() as bars:
        done = run_demo_train(out, listener=bars, workers=cores(workers))
    if as_json:
        say_json(done.document())
        return
    say_build(done.build)
    proof = done.split.proof
    parts = ", ".join(f"{part.name} {part.samples}" for part in proof.parts)
    say(f"  split {done.split.name}: {parts}; {proof.violations} pairs nearer than {proof.gap:,.0f} m")
    say_table(
        f"held out: {done.tested} samples",
        ("model", "examples", "epochs", "accuracy", "macro F1"),
        [(one.model, one.examples, one.epochs or "–", *done.scores_of(one)) for one in done.models],
    )
    say(f"  leaderboard: {done.page}")
    say(f"next: landloom predict {done.models[0].folder} {done.build.corpus}")
