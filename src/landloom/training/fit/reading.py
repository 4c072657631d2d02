"""From a dataset of images to samples, or to a table of series that models learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.model.grid import WGS84, transformer
from landloom.training.datasets.tables import table_of
from landloom.training.fit.batches import LabelledSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from landloom.training.datasets.dataset import CorpusDataset
    from landloom.training.datasets.rasters import RasterReader
    from landloom.training.fit.tasks import Unit

AT_ONCE: Final = 8
"""Samples that are read together."""


def read_samples(dataset: CorpusDataset, done: Callable[[str], None] = lambda _: None) -> Iterator[dict[str, Any]]:
    """Samples of a dataset as dictionaries of arrays, in order."""
    for start in range(0, len(dataset), AT_ONCE):
        for sample in dataset.__getitems__(range(start, min(start + AT_ONCE, len(dataset)))):
            length = int(sample["length"])
            cut = {name: sample[name].numpy()[:length] for name in ("image", "dates", "valid")}
            rest = {name: one.numpy() if hasattr(one, "numpy") else one for name, one in sample.items()}
            done(sample["id"])
            yield rest | cut


def read_table(
    dataset: CorpusDataset,
    unit: Unit,
    *,
    parcels: RasterReader | None = None,
    pixels: int | None = None,
    done: Callable[[str], None] = lambda _: None,
) -> LabelledSeries:
    """All series of a dataset.

    Args:
        dataset: images with a target, as stored (not normalised).
        unit: what has a series.
        parcels: reads the ids of parcels, if they are the unit.
        pixels: most pixels of a sample, drawn by chance, if they are the unit; None for all that have a label.
        done: is called with the id of each sample.

    Raises:
        InvalidInputError: no series at all, or a sample of which nothing can be seen or learnt.
    """
    table = table_of(dataset.plan, unit, parcels, pixels=pixels, blank="error", done=done)
    target = next(one for one in (table.fractions, table.label, table.value) if one is not None)
    names = zip(table.ids, table.parts.tolist(), strict=True)
    numbers = {name: number for number, name in enumerate(dataset.ids)}
    sample = np.array([numbers[name] for name in table.ids])
    return LabelledSeries(
        id=np.array([f"{name}/{part}" if unit == "parcel" else name for name, part in names]),
        sample=sample,
        image=table.series,
        dates=table.dates,
        valid=table.valid,
        target=target,
        weight=table.weight,
        place=places_of(dataset)[sample],
    )


def dense_of(sample: dict[str, Any]) -> Any:
    """Target of a sample, or of a batch, of which every pixel has one: classes, or numbers."""
    return sample["mask"] if "mask" in sample else sample["value"]


def place_of(sample: dict[str, Any]) -> NDArray[np.float64]:
    """(2,) latitude and longitude of the middle of a sample, in degrees.

    Example:
        >>> place_of({"bounds": np.array([499_700, 0, 500_300, 600]), "crs": "EPSG:32633"}).round(3).tolist()
        [0.003, 15.0]
    """
    found: NDArray[np.float64] = _middles(np.asarray(sample["bounds"])[None], int(sample["crs"].removeprefix("EPSG:")))[
        0
    ]
    return found


def places_of(dataset: CorpusDataset) -> NDArray[np.float64]:
    """(sample, 2) latitude and longitude of the middle of every sample, in degrees."""
    own = dataset.plan.samples
    found = np.zeros((len(own), 2))
    for epsg in np.unique(own.epsg):
        there = own.epsg == epsg
        found[there] = _middles(own.bounds[there], int(epsg))
    return found


def _middles(bounds: NDArray[Any], epsg: int) -> NDArray[np.float64]:
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    longitude, latitude = transformer(epsg, WGS84).transform(middle[:, 0], middle[:, 1])
    return np.stack([latitude, longitude], axis=1)
