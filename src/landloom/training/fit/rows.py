"""Rows of features and classes for simple models: mean series of samples, or series of drawn pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.targets import Target
from landloom.training.fit.axis import TimeAxis
from landloom.training.fit.reading import read_table
from landloom.training.models.trees import features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from landloom.query.selection import Selection
    from landloom.training.fit.tasks import Unit


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
    parsed = Target.parse(target)
    dataset = CorpusDataset(selection, product, target=parsed, seed=seed, missing="drop")
    if not dataset.classes or parsed.kind not in ("label", "mask"):
        raise InvalidInputError(f"got the target {target!r}, expected classes: label or mask")
    unit: Unit = "pixel" if parsed.kind == "mask" else "sample"
    table = read_table(dataset, unit, pixels=pixels, done=advanced)
    table = TimeAxis.of(table).apply(table)
    return Rows(
        id=tuple(table.id.tolist()),
        features=features(table.image, table.valid),
        truth=table.target.astype(np.int64),
        classes=dataset.classes,
        left_out=dict(dataset.left_out),
    )
