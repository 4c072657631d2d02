"""What a model says of samples that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.query.cql2.columns import RowColumns
from landloom.query.split_sets import read_split_set
from landloom.training.datasets.collate import collate
from landloom.training.evaluation.predictions import Predictions
from landloom.training.fit.batches import loader
from landloom.training.fit.reading import read_samples
from landloom.training.fit.tasks import task_of
from landloom.training.splits.blocks import square_blocks, tile_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.query.corpus import Corpus
    from landloom.training.datasets.dataset import CorpusDataset
    from landloom.training.fit.learn import Material
    from landloom.training.fit.trained import Trained

BLOCK: Final = 60_000.0
"""Side of the blocks by which intervals are drawn, where the split set has none of its own, in metres."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """Predicted numbers with their truth."""

    id: tuple[str, ...]
    truth: NDArray[np.float64]
    predicted: NDArray[np.float64]

    def scores(self) -> dict[str, float]:
        """Root mean squared error, mean absolute error, bias (predicted − true), and R².

        Example:
            >>> made = Values(id=("a", "b"), truth=np.array([1.0, 3.0]), predicted=np.array([1.0, 2.0]))
            >>> made.scores()
            {'rmse': 0.7071067811865476, 'mae': 0.5, 'bias': -0.5, 'r2': 0.5}
        """
        error = self.predicted - self.truth
        spread = float(((self.truth - self.truth.mean()) ** 2).sum())
        return {
            "rmse": float(np.sqrt((error**2).mean())),
            "mae": float(np.abs(error).mean()),
            "bias": float(error.mean()),
            "r2": 1 - float((error**2).sum()) / spread if spread > 0 else float("nan"),
        }

    def encoded(self) -> bytes:
        """As CSV."""
        rows = zip(self.id, self.truth.tolist(), self.predicted.tolist(), strict=True)
        lines = ["id,truth,predicted", *(f"{name},{truth!r},{found!r}" for name, truth, found in rows)]
        return ("\n".join(lines) + "\n").encode()


def sample_blocks(corpus: Corpus, split_set: str) -> NDArray[np.int64]:
    """(sample,) number of the block of every sample: those of the split set, or squares of 60 km."""
    settings = read_split_set(corpus.base, split_set).settings
    if settings.get("by") == "tile":
        return tile_blocks(corpus.sidecar)
    middles = corpus.sidecar.corners(np.arange(len(corpus.sidecar), dtype=np.int32)).mean(axis=1)
    return square_blocks(middles[:, 0], middles[:, 1], float(settings.get("block_size", BLOCK)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Columns:
    """What predictions say of each sample beside its classes."""

    block: dict[str, int]
    stratum: dict[str, str] | None
    rest: dict[str, Any]

    @classmethod
    def of(cls, material: Material, split: str, ids: Sequence[str]) -> _Columns:
        corpus = material.corpus
        blocks = sample_blocks(corpus, material.lesson.split_set)
        rows = corpus.sidecar.rows_of_ids(list(ids)).astype(np.int32)
        words = RowColumns(corpus.sidecar, rows).words("stratum")
        strata = [words.texts[code] or "" for code in words.codes.tolist()]
        splits = read_split_set(corpus.base, material.lesson.split_set)
        return cls(
            block=dict(zip(ids, blocks[rows].tolist(), strict=True)),
            stratum=dict(zip(ids, strata, strict=True)) if any(strata) else None,
            rest={"split": split, "split_set": splits.digest},
        )

    def row(self, sample: str) -> dict[str, Any]:
        stratum = {} if self.stratum is None else {"stratum": self.stratum[sample]}
        return {"block": self.block[sample], **stratum}


def held_out(material: Material, trained: Trained, split: str) -> Predictions | Values:
    """Predictions of all samples of a split that have a label.

    Args:
        material: the lesson with its corpus.
        trained: its model.
        split: name of the split.

    Raises:
        InvalidInputError: no sample of it has a label.
    """
    dataset = material.dataset(material.selection(split))
    columns = _Columns.of(material, split, dataset.ids)
    # Not the root digest: labels added between two trainings do not make their predictions incomparable.
    rest = columns.rest | {"corpus": trained.description.corpus["samples"]}
    if task_of(material.lesson.task).unit == "pixel":
        parts = [
            Predictions.of_pixels(
                id=name, mask=mask, probabilities=found, classes=trained.description.keys, **columns.row(name), **rest
            )
            for name, mask, found in dense(material, trained, dataset)
        ]
        return Predictions.joined([part for part in parts if len(part)])
    table = material.table(dataset)
    found = trained.table(table)
    if table.kind == "value":
        return Values(id=tuple(table.id.tolist()), truth=table.target.astype(float), predicted=found.astype(float))
    shares = table.target if table.kind == "fractions" else None
    truth = table.target if shares is None else shares.argmax(axis=1)
    names = [dataset.ids[number] for number in table.sample.tolist()]
    strata = None if columns.stratum is None else [columns.stratum[name] for name in names]
    return Predictions.of(
        id=table.id.tolist(),
        truth=truth,
        probabilities=found,
        classes=trained.description.keys,
        block=[columns.block[name] for name in names],
        stratum=strata,
        shares=shares,
        **rest,
    )


def dense(
    material: Material, trained: Trained, dataset: CorpusDataset
) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float32]]]:
    """Id, (y, x) mask with −1 where nothing is known or seen, and (class, y, x) probabilities of each sample."""
    if not trained.eats_images:
        for sample in read_samples(dataset):
            seen = sample["valid"].any(axis=0)
            yield sample["id"], np.where(seen, sample["mask"], -1), trained.pixels(sample)
        return
    for batch, found in trained.images(iter(loader(dataset, material.lesson.settings, collate=collate))):
        seen = batch["valid"].any(dim=1).numpy()
        masks = np.where(seen, batch["mask"].numpy(), -1)
        yield from zip(batch["id"], masks, found, strict=True)
