"""Rows of features and classes for simple models: mean series of samples, or series of drawn pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.fit.axis import TimeAxis
from landloom.training.fit.batches import SeriesTable
from landloom.training.models.trees import features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from landloom.query.selection import Selection

AT_ONCE: Final = 16
"""Samples that are read together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """What a simple model learns from."""

    id: tuple[str, ...]
    """(row,) id of the sample that a row is of."""
    features: NDArray[np.float32]
    """(row, time × band); NaN where nothing was seen."""
    truth: NDArray[np.int64]
    """(row,) number of the class; of a sample, the one with most of its area."""
    classes: tuple[str, ...]
    left_out: Mapping[str, str]
    """Sample → why it has no row."""


def read_rows(
    selection: Selection,
    target: str,
    product: str | None = None,
    *,
    pixels: int = 200,
    seed: int = 0,
    advanced: Callable[[str], None] = lambda _: None,
) -> Rows:
    """Read all samples of a selection that have images and a label.

    Args:
        selection: the samples.
        target: `label` for the dominant class of each sample, `mask` for classes of pixels; with the label product as
            `mask:consensus` where there are several.
        product: key of the images; by default the only image product.
        pixels: most pixels of a sample, drawn at random, if the target is a mask.
        seed: of the draw.
        advanced: is called with the id of each sample.

    Raises:
        InvalidInputError: a target that is no class, or no sample with images and a label.
        NotFoundError: no such product or target.
    """
    dataset = CorpusDataset(selection, product, target=target, missing="drop")
    if not dataset.classes:
        raise InvalidInputError(f"got the target {target!r}, expected classes: label or mask")
    parts = []
    for start in range(0, len(dataset), AT_ONCE):
        for number, sample in enumerate(dataset.__getitems__(range(start, min(start + AT_ONCE, len(dataset)))), start):
            parts.append(_series(sample, number, pixels, np.random.default_rng([seed, number])))
            advanced(sample["id"])
    table = SeriesTable.joined([part for part in parts if len(part)])
    table = TimeAxis.of(table).apply(table)
    return Rows(
        id=tuple(table.id.tolist()),
        features=features(table.image, table.valid),
        truth=table.target.astype(np.int64),
        classes=dataset.classes,
        left_out=dict(dataset.left_out),
    )


def _series(sample: dict[str, Any], number: int, pixels: int, random: np.random.Generator) -> SeriesTable:
    length = int(sample["length"])
    image, valid = sample["image"].numpy()[:length], sample["valid"].numpy()[:length]
    if "mask" in sample:
        mask = sample["mask"].numpy()
        places = np.flatnonzero((mask >= 0) & valid.any(axis=0))
        places = np.sort(random.permutation(places)[:pixels])
        rows = np.ascontiguousarray(image.reshape(*image.shape[:2], -1)[:, :, places].transpose(2, 0, 1))
        there, target = valid.reshape(length, -1)[:, places].T, mask.ravel()[places]
    else:
        counts = valid.sum(axis=(1, 2))
        sums = np.where(valid[:, None], image, 0).sum(axis=(2, 3), dtype=np.float64)
        rows = (sums / np.maximum(counts, 1)[:, None]).astype(np.float32)[None]
        shares = sample.get("fractions")
        target = np.array([int(sample["label"] if shares is None else shares.argmax())])
        there = (counts > 0)[None]
    return SeriesTable(
        id=np.array([sample["id"]] * len(target), dtype=np.str_),
        sample=np.full(len(target), number),
        image=rows,
        dates=np.tile(sample["dates"].numpy()[:length], (len(target), 1)),
        valid=there,
        target=target.astype(np.int64),
        weight=np.ones(len(target), np.float32),
    )
