"""`landloom train` and `landloom predict`: models of a corpus, and what they say of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landloom.cli.asking import CorpusName
from landloom.cli.embedding import MASKED, PRETRAIN, pretrain, refuse_options
from landloom.errors import InvalidInputError
from landloom.reports.options import JsonOption, ReadingCommand, named_values
from landloom.reports.terminal import ProgressBars, say, say_json, say_table, warn

if TYPE_CHECKING:
    from landloom.pipelines.predict.options import PredictReport
    from landloom.pipelines.training import TrainReport
    from landloom.training.fit.learn import Lesson

Accelerator = Annotated[
    Literal["auto", "cpu", "gpu"],
    typer.Option(help="Where networks compute; auto: on a card if there is one."),
]
SHOWN = (
    *("accuracy", "balanced_accuracy", "macro_f1", "ece", "misplaced_share"),
    *("f1", "false_share"),
    *("mae", "rmse", "bias", "r2"),
)
LISTED = 5
FIRST = {PRETRAIN: MASKED, "change": "tcn"}
"""Task → model that is trained by default, if it is no forest."""


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    example = "landloom train corpus --task lulc --model ltae --split-set blocks-3000 --out models/ltae"
    app.command(cls=ReadingCommand, epilog=f"Example: {example}")(train)
    app.command(epilog="Example: landloom predict models/ltae corpus")(predict)


def train(
    corpus: CorpusName = "corpus",
    *,
    task: Annotated[
        str,
        typer.Option(help="lulc (samples), parcels, dense (pixels), change (dates), or pretrain (without labels)."),
    ] = "lulc",
    model: Annotated[
        str | None,
        typer.Option(
            help="forest (by default), boosting, tempcnn, ltae, presto, galileo-nano; of dense also utae; "
            "of change tcn; of pretrain masked."
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Published weights of presto or galileo-nano: a file that you have; none is ever fetched."),
    ] = None,
    split_set: Annotated[
        str,
        typer.Option(help="Split set to train on; landloom split makes one. Of change only with a --target."),
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder of the model.")] = ...,  # type: ignore[assignment]
    target: Annotated[
        str | None,
        typer.Option(help="fractions, label, mask or value, and the label product: mask:consensus."),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Unit of a value; by default that of its product's band.")] = None,
    level: Annotated[int | None, typer.Option(min=1, help="Level of the classes, 1 is the coarsest.")] = None,
    crosswalk: Annotated[str | None, typer.Option(help="Taxonomy whose classes are learnt: landcovernet.")] = None,
    background: Annotated[bool, typer.Option(help="Whether pixels that no parcel covers are a class.")] = False,
    product: Annotated[str | None, typer.Option(help="Key of the images; by default the only ones.")] = None,
    band: Annotated[list[str] | None, typer.Option(help="Band to use; may be repeated; by default all.")] = None,
    train_split: Annotated[
        list[str] | None, typer.Option(help="Split to train on; may be repeated; by default train.")
    ] = None,
    val_split: Annotated[str, typer.Option(help="Split by which training stops, if the set has it.")] = "val",
    epochs: Annotated[int, typer.Option(min=1, help="Of a network, at most.")] = 60,
    batch: Annotated[int, typer.Option(min=1, help="Examples of a step.")] = 32,
    rate: Annotated[float, typer.Option(help="Learning rate of the first epoch.")] = 1e-3,
    patience: Annotated[int, typer.Option(min=1, help="Epochs without a lower loss before it stops.")] = 12,
    smoothing: Annotated[float, typer.Option(help="Label smoothing, 0 to 1.")] = 0.0,
    q: Annotated[float, typer.Option(help="Exponent of generalised cross-entropy; 0 for cross-entropy.")] = 0.0,
    pixels: Annotated[int, typer.Option(min=1, help="Pixels of a sample that models of series learn from.")] = 400,
    worlds: Annotated[
        int | None,
        typer.Option(
            min=0, help="Of change: simulated worlds to learn from; by default 12, or none with a --target.", max=12
        ),
    ] = None,
    distance: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Of pretrain: least metres from all samples of the splits but `pretrain`; by default 3000.",
            show_default=False,
        ),
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="Of the model: trees=500, width=128; may be repeated.")
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read images.")] = 0,
    accelerator: Accelerator = "auto",
    bf16: Annotated[bool, typer.Option(help="Compute in bfloat16, on a graphics card.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of all random choices.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Train a model on one part of a split set and score it on the others.

    The folder gets the model, its history, predictions of all samples that were held out, and a card with scores and
    digests. The same command goes on where a killed one stopped.
    """
    from landloom.training import require_training

    require_training("landloom train")
    from landloom.training.fit.learn import Lesson
    from landloom.training.fit.settings import FitSettings
    from landloom.training.losses import LossSettings

    settings = FitSettings(
        epochs=epochs,
        batch=batch,
        rate=rate,
        patience=patience,
        seed=seed,
        workers=workers,
        accelerator=accelerator,
        bf16=bf16,
        loss=LossSettings(smoothing=smoothing, q=q),
    )
    lesson = Lesson(
        task=task,
        model=model or FIRST.get(task, "forest"),
        split_set=split_set,
        target=_target(task, target, level, crosswalk, background=background),
        product=product,
        bands=tuple(band) if band else None,
        train=tuple(train_split or ("train",)),
        val=val_split,
        pixels=pixels,
        unit=unit,
        worlds=worlds,
        options={name: _number(text) for name, text in named_values("--option", option, "trees=500").items()},
        weights=weights,
        settings=settings,
    )
    learn = pretrain if task == PRETRAIN else _train
    learn(corpus, lesson, out, distance, as_json=as_json)


def predict(
    model: Annotated[Path, typer.Argument(help="Folder of a model.")],
    corpus: CorpusName = "corpus",
    *,
    name: Annotated[
        str | None, typer.Option(help="Of the label product; by default prediction, or change.", show_default=False)
    ] = None,
    split: Annotated[str | None, typer.Option(help="Only samples of this split.")] = None,
    split_set: Annotated[str | None, typer.Option(help="Split set that it is of.")] = None,
    accelerator: Accelerator = "auto",
    elsewhere: Annotated[
        bool, typer.Option(help="Allow another corpus than the one that the model was trained on.")
    ] = False,
    licence: Annotated[str, typer.Option(help="SPDX id of the labels' licence.")] = "CC-BY-4.0",
    attribution: Annotated[
        str | None, typer.Option(help="Attribution of the labels; by default the model and its corpus.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Predict the samples of a corpus and add the result to it as a new label version, with lineage.

    Class shares of samples can be queried at once; models of pixels and parcels also write GeoTIFFs with classes and
    probabilities. Models of numbers write them as float32, models of changes the layers of landloom change.
    """
    from landloom.training import require_training

    require_training("landloom predict")
    from landloom.pipelines.predict.corpus import predict_corpus
    from landloom.pipelines.predict.options import PredictOptions

    options = PredictOptions(
        name=name,
        split=split,
        split_set=split_set,
        accelerator=accelerator,
        elsewhere=elsewhere,
        licence=licence,
        attribution=attribution,
    )
    with ProgressBars() as bars:
        done = predict_corpus(model, corpus, options, listener=bars)
    if as_json:
        say_json(done.document())
    else:
        _say_predicted(done, corpus)


def _target(task: str, target: str | None, level: int | None, crosswalk: str | None, *, background: bool) -> Any:
    from dataclasses import replace

    from landloom.training.datasets.targets import Target
    from landloom.training.fit.tasks import task_of

    if task == PRETRAIN:
        given = {"--target": target, "--level": level, "--crosswalk": crosswalk, "--background": background}
        refuse_options(given, f"task {PRETRAIN} has no labels")
        return None
    if task_of(task).dated and target is None:
        given = {"--level": level, "--crosswalk": crosswalk, "--background": background}
        refuse_options(given, f"task {task} has no classes")
        return None
    chosen = Target.parse(target or task_of(task).target)
    return replace(chosen, level=level, crosswalk=crosswalk, background=background)


def _train(corpus: str, lesson: Lesson, out: Path, distance: float | None, *, as_json: bool) -> None:
    from landloom.pipelines.training import train_corpus

    refuse_options({"--distance": distance}, f"task {lesson.task} learns from labels")
    with ProgressBars() as bars:
        done = train_corpus(corpus, lesson, out, listener=bars)
    if as_json:
        say_json(done.document())
    else:
        _say_trained(done, corpus)


def _number(text: str) -> Any:
    """A value of an option: a number, several with commas between them, or a text."""
    import json

    try:
        return json.loads(f"[{text}]" if "," in text else text)
    except ValueError:
        raise InvalidInputError(f"--option: got {text!r}, expected a number, or several: 16,16,32") from None


def _say_left_out(left_out: Any) -> None:
    rows = list(left_out.items())
    for name, why in rows[:LISTED]:
        warn(f"left out: {name}: {why}")
    if len(rows) > LISTED:
        warn(f"left out: {len(rows) - LISTED:,} samples more")


def _say_trained(done: TrainReport, corpus: str) -> None:
    _say_left_out(done.left_out)
    again = f", {done.resumed} of them by an earlier run" if done.resumed else ""
    epochs = f" in {done.epochs} epochs{again}" if done.epochs else ""
    say(f"{done.model} for {done.task}: learnt from {done.examples:,} examples{epochs}")
    names = [name for name in SHOWN if any(name in own["scores"] for own in done.scores.values())]
    rows = [
        (split, f"{own['samples']:,}", *(_score(own["scores"].get(name)) for name in names))
        for split, own in done.scores.items()
    ]
    say_table("held out", ("split", "samples", *names), rows)
    say(f"{'wrote' if done.trained else 'unchanged:'} {done.folder}; see card.md there")
    say(f"next: landloom predict {done.folder} {corpus}")


def _score(score: Any) -> str:
    if not isinstance(score, dict):
        return "" if score is None else f"{score:.3f}"
    if score["value"] is None:
        return ""
    interval = "" if score["low"] is None else f" ({score['low']:.3f} to {score['high']:.3f})"
    return f"{score['value']:.3f}{interval}"


def _say_predicted(done: PredictReport, corpus: str) -> None:
    _say_left_out(done.left_out)
    said = "added" if done.added else "unchanged: the corpus has the same"
    say(f"{said} {', '.join((done.product, *done.rasters))}, version {done.version}, of {done.samples:,} samples")
    say(f"next: landloom query {corpus} --product {done.product}")
