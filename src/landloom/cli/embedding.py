"""`landloom embed` and `landloom similar`: embeddings of samples, and the samples that are nearest to one by them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from landloom.cli.asking import CorpusName, RegionOption, SplitOption, SplitSetOption, WhereOption, select
from landloom.errors import InvalidInputError
from landloom.reports.options import JsonOption, ReadingCommand
from landloom.reports.terminal import ProgressBars, say, say_json, say_table, warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.training.fit.learn import Lesson

PRETRAIN = "pretrain"
MASKED = "masked"
DISTANCE = 3_000.0


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    example = "landloom similar corpus 33N_16E-243N_29_01 --count 5 --where 'clc_3 >= 0.5'"
    app.command(cls=ReadingCommand, epilog="Example: landloom embed models/encoder corpus")(embed)
    app.command(cls=ReadingCommand, epilog=f"Example: {example}")(similar)


def refuse_options(given: Mapping[str, Any], why: str) -> None:
    """Refuse options that would change nothing.

    Raises:
        InvalidInputError: one has a value.
    """
    name = next((name for name, value in given.items() if value), None)
    if name is not None:
        raise InvalidInputError(f"got {name}, expected none: {why}")


def pretrain(corpus: str, lesson: Lesson, out: Path, distance: float | None, *, as_json: bool) -> None:
    """`landloom train --task pretrain`: an encoder from samples that are far from all labelled ones."""
    from landloom.pipelines.pretraining import PretrainOptions, pretrain_corpus
    from landloom.training.pretrain.learn import PretrainSettings

    settings = lesson.settings
    given = {
        "--train-split": lesson.train != ("train",),
        "--workers": settings.workers,
        "--weights": lesson.weights,
        "--unit": lesson.unit,
        "--worlds": lesson.worlds,
    }
    refuse_options(given | settings.loss.document(), f"task {PRETRAIN} has no labels, and reads its series at once")
    if lesson.model != MASKED:
        raise InvalidInputError(f"task {PRETRAIN}: got model {lesson.model!r}, expected {MASKED}")
    wanted = PretrainOptions(
        split_set=lesson.split_set,
        distance=DISTANCE if distance is None else distance,
        product=lesson.product,
        bands=lesson.bands,
        pixels=lesson.pixels,
        settings=PretrainSettings(options=lesson.options, fit=settings),
    )
    with ProgressBars() as bars:
        done = pretrain_corpus(corpus, out, wanted, listener=bars)
    if as_json:
        say_json(done.document())
        return
    for identity, why in done.left_out.items():
        warn(f"left out: {identity}: {why}")
    proof = done.proof
    say(f"{MASKED}: learnt from {done.series:,} series of {proof.drawn:,} samples in {done.epochs} epochs")
    say(f"  loss of hidden timesteps: {done.loss:.3f}, in units of the noise")
    say(
        f"  proof: {proof.pairs:,} pairs measured, {proof.violations} nearer than {proof.distance:,.0f} m to one of "
        f"{proof.labelled:,} labelled samples; nearest {proof.nearest:,.0f} m"
    )
    say(f"wrote {done.folder}; see card.md there")
    say(f"next: landloom embed {done.folder} {corpus}")


def embed(
    encoder: Annotated[
        Path,
        typer.Argument(
            help="Folder of an encoder: of landloom train --task pretrain, or --model presto or galileo-nano."
        ),
    ],
    corpus: CorpusName = "corpus",
    *,
    name: Annotated[str, typer.Option(help="Of the embedding set.")] = "masked",
    pixels: Annotated[bool, typer.Option(help="Add the embeddings of all pixels as a product, too.")] = False,
    replace: Annotated[bool, typer.Option(help="Replace an embedding set of this name.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write embeddings of the samples of a corpus into it, with lineage; nothing is built again."""
    from landloom.training import require_training

    require_training("landloom embed")
    from landloom.pipelines.embedding import embed_corpus

    with ProgressBars() as bars:
        done = embed_corpus(encoder, corpus, name, pixels=pixels, replace=replace, listener=bars)
    if as_json:
        say_json(done.document())
        return
    for identity, why in done.left_out.items():
        warn(f"left out: {identity}: {why}")
    say(f"{'wrote' if done.changed else 'unchanged:'} {done.path}: {done.samples:,} samples × {done.width} numbers")
    if done.product is not None:
        say(f"embeddings of pixels: product {done.product}")
    say(f"next: landloom similar {corpus} SAMPLE")


def similar(
    corpus: CorpusName,
    sample: Annotated[str, typer.Argument(help="Id of a sample.")],
    *,
    count: Annotated[int, typer.Option(min=1, help="How many samples.")] = 10,
    embeddings: Annotated[str | None, typer.Option(help="Embedding set; by default the only one.")] = None,
    region: RegionOption = None,
    where: WhereOption = None,
    split: SplitOption = None,
    split_set: SplitSetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the samples whose embeddings are nearest to that of a sample, nearest first.

    The embeddings are made by landloom embed; region, filter and split say among which samples is searched.
    """
    from landloom.query.corpus import Corpus

    chosen = select(Corpus.open(corpus), region, where, None, None, split_set, split)
    found = chosen.nearest(sample, count, embeddings=embeddings)
    if as_json:
        say_json([{"id": one.id, "similarity": one.similarity} for one in found])
    else:
        say_table(
            f"nearest to {sample} among {len(chosen):,} samples",
            ("sample", "similarity"),
            [(one.id, f"{one.similarity:.4f}") for one in found],
        )
