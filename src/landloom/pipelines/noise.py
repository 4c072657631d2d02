"""`landloom noise`: labels of a corpus that are probably wrong, as a list for annotators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.query.corpus import Corpus
from landloom.query.split_sets import read_split_set
from landloom.reports.terminal import cores
from landloom.training.evaluation.predictions import Predictions
from landloom.training.models.trees import FOREST, Trees
from landloom.training.noise.suspects import out_of_fold_noise, suspects_csv, suspects_of
from landloom.training.splits.make import BLOCK, SplitSettings, folds, make_split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.engine.run import Listener
    from landloom.query.selection import Selection
    from landloom.training.fit.rows import Rows
    from landloom.training.noise.confident import LabelNoise
    from landloom.training.noise.suspects import Suspect

FOLDS: Final = 5
TREES: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseSettings:
    """What is searched for wrong labels, and how."""

    target: str = "label"
    """`label` for the dominant class of each sample, `mask` for classes of pixels; of a product as `mask:consensus`."""
    product: str | None = None
    """Key of the images; None for the only image product."""
    split_set: str | None = None
    """Split set whose splits are the folds; None for five folds of blocks."""
    block_size: float | None = None
    """Side of these blocks in metres."""
    pixels: int = 200
    """Most pixels of a sample, drawn at random, if the target is a mask."""
    seed: int = 0
    """Of folds, draws and forests."""

    @property
    def folds(self) -> SplitSettings:
        """How folds are made."""
        size = BLOCK if self.block_size is None else self.block_size
        return SplitSettings(by="blocks", gap=0, shares=folds(FOLDS), block_size=size, seed=self.seed)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NoiseReport:
    """Result of a search for wrong labels."""

    predictions: Predictions
    noise: LabelNoise
    suspects: tuple[Suspect, ...]
    """The most probable errors first."""
    left_out: Mapping[str, str]
    """Sample → why it was not looked at."""
    path: Path
    """Of the list."""

    @property
    def confused(self) -> list[tuple[str, str, float]]:
        """Pairs of given and true class with the share of all labels, the largest first."""
        joint, classes = self.noise.joint.copy(), self.predictions.classes
        np.fill_diagonal(joint, 0)
        order = np.argsort(-joint, axis=None, kind="stable")
        pairs = (np.unravel_index(place, joint.shape) for place in order.tolist())
        return [
            (classes[one], classes[other], float(joint[one, other])) for one, other in pairs if joint[one, other] > 0
        ]

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "samples": len(set(self.predictions.id)),
            "rows": float(self.predictions.weight.sum()),
            **self.noise.document(self.predictions.classes),
            "suspected_samples": len(self.suspects),
            "left_out": dict(self.left_out),
            "path": str(self.path),
        }


def find_noise(
    address: str, out: Path, settings: NoiseSettings | None = None, listener: Listener | None = None
) -> NoiseReport:
    """Search a corpus for labels that are probably wrong.

    A random forest is trained on all folds but one and predicts that one, fold by fold; no model has seen the sample
    that it judges, nor one of the same block.

    Args:
        address: folder or URL of the corpus.
        out: file for the list, CSV; an existing one is replaced.
        settings: what is searched, and how.
        listener: receives progress.

    Raises:
        InvalidInputError: no classes, or folds that cannot be had; the message says what can.
        NotFoundError: no such corpus, product, target or split set.
        MissingExtraError: the extras `training` and `guess` are not installed.
    """
    wanted = settings or NoiseSettings()
    corpus = Corpus.open(address)
    if wanted.split_set is not None:
        splits = read_split_set(corpus.base, wanted.split_set)
        held = corpus.query(split_set=wanted.split_set, split=splits.names)
    else:
        splits = make_split(corpus.sidecar, wanted.folds)[0]
        held = corpus.query()
    if listener is not None:
        listener.started("reading samples", len(held))
    rows = _rows(held, wanted, listener)
    places = corpus.sidecar.rows_of_ids(list(rows.id))
    made = _out_of_fold(rows, splits.codes[places].astype(np.int64), splits.names, wanted.seed, listener)
    return _report(made, out, dict(rows.left_out))


def noise_of_predictions(paths: Sequence[Path], out: Path) -> NoiseReport:
    """Search predictions for labels that are probably wrong.

    Args:
        paths: files of predictions for samples that their model had not seen, as of the folds of a cross-validation.
        out: file for the list, CSV; an existing one is replaced.

    Raises:
        InvalidInputError: a sample in several of them, or fewer than two classes.
        InvalidDocumentError: a file that is no predictions.
    """
    parts = [Predictions.decoded(path.read_bytes(), str(path)) for path in paths]
    seen: set[str] = set()
    for path, part in zip(paths, parts, strict=True):
        twice = seen & set(part.id)
        if twice:
            raise InvalidInputError(f"{path}: got predictions of {min(twice)} a second time, expected each sample once")
        seen |= set(part.id)
    return _report(Predictions.joined(parts), out, {})


def _report(made: Predictions, out: Path, left_out: Mapping[str, str]) -> NoiseReport:
    noise = out_of_fold_noise(made)
    suspects = suspects_of(made, noise)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(suspects_csv(suspects), encoding="utf-8")
    return NoiseReport(predictions=made, noise=noise, suspects=suspects, left_out=left_out, path=out)


def _rows(selection: Selection, wanted: NoiseSettings, listener: Listener | None) -> Rows:
    try:
        from landloom.training.fit.rows import read_rows  # noqa: PLC0415 - the extra `training`
    except ModuleNotFoundError as error:
        raise MissingExtraError.of("training", "reading samples of a corpus") from error

    def advanced(sample: str) -> None:
        if listener is not None:
            listener.advanced(sample, None)

    return read_rows(
        selection, wanted.target, wanted.product, pixels=wanted.pixels, seed=wanted.seed, advanced=advanced
    )


def _out_of_fold(
    rows: Rows, fold: NDArray[np.int64], names: Sequence[str], seed: int, listener: Listener | None
) -> Predictions:
    """Predict every fold by a forest that was trained on the others."""
    if listener is not None:
        listener.started("training", len(names))
    chances = np.zeros((len(fold), len(rows.classes)), np.float32)
    for number, name in enumerate(names):
        own = fold == number
        if own.any():
            if len(np.unique(rows.truth[~own])) < 2:
                raise InvalidInputError(f"outside of {name} are labels of one class only; other folds are needed")
            weight = np.ones(int((~own).sum()))
            trained = Trees.fit(
                FOREST,
                rows.features[~own],
                rows.truth[~own],
                weight,
                classes=len(rows.classes),
                seed=seed,
                options={"trees": TREES},
                jobs=cores(0),
            )
            chances[own] = trained.predict(rows.features[own])
        if listener is not None:
            listener.advanced(name, None)
    return Predictions.of(
        id=rows.id,
        truth=rows.truth,
        probabilities=chances,
        classes=rows.classes,
        block=fold,
        split=[names[number] for number in fold.tolist()],
    )
