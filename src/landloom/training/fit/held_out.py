"""What a model says of samples that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.query.cql2.columns import RowColumns
from landloom.query.split_sets import read_split_set
from landloom.training.datasets.collate import collate
from landloom.training.evaluation.predictions import Predictions
from landloom.training.evaluation.values import Values
from landloom.training.fit.batches import loader
from landloom.training.fit.reading import dense_of, read_samples
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
    dataset = material.dataset(material.lesson.selection(material.corpus, split))
    columns = _Columns.of(material, split, dataset.ids)
    # Not the root digest: labels added between two trainings do not make their predictions incomparable.
    rest = columns.rest | {"corpus": trained.description.corpus["samples"]}
    unit = str(trained.description.target.get("unit") or "")
    if task_of(material.lesson.task).unit == "pixel" and not trained.description.classes:
        rows = (
            Values.of_pixels(name, truth, found, columns.block[name], unit)
            for name, truth, found in dense(material, trained, dataset)
        )
        return Values.joined([row for row in rows if row is not None])
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
    names = [dataset.ids[number] for number in table.sample.tolist()]
    if table.kind == "value":
        blocks = np.array([columns.block[name] for name in names])
        return Values.of(table.id.tolist(), table.target, found, blocks, unit)
    shares = table.target if table.kind == "fractions" else None
    truth = table.target if shares is None else shares.argmax(axis=1)
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
) -> Iterator[tuple[str, NDArray[Any], NDArray[np.float32]]]:
    """Id, (y, x) target, and (class, y, x) probabilities or (y, x) numbers of each sample.

    The target is −1 or NaN where nothing is known or seen.
    """
    if not trained.eats_images:
        for sample in read_samples(dataset):
            yield sample["id"], _seen(dense_of(sample), sample["valid"].any(axis=0)), trained.pixels(sample)
        return
    for batch, found in trained.images(iter(loader(dataset, material.lesson.settings, collate=collate))):
        own = dense_of(batch).numpy()
        yield from zip(batch["id"], _seen(own, batch["valid"].any(dim=1).numpy()), found, strict=True)


def _seen(target: NDArray[Any], seen: NDArray[np.bool_]) -> NDArray[Any]:
    """A dense target, unknown where nothing was seen."""
    nothing = target.dtype.type(-1 if target.dtype.kind == "i" else np.nan)
    return np.where(seen, target, nothing)
