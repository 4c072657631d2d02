"""Valid pixels, observations and what looks like cloud, measured on samples of a finished corpus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.imagery.masks.looks import looks_like_cloud
from landloom.query.cubes import load_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo
    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection

MEASURED: Final = 48
"""Most samples that are read, spread evenly over the index."""
_NEEDED: Final = ("blue", "green", "red", "nir")
_SCALE: Final = 10_000
_COUNT: Final = "count"
_PUBLISHED: Final = "s2"
"""Key of the published composites, whose numbers of observations have the plain name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipQuality:
    """What was measured on one chip."""

    sample: str
    tile: str
    timestep: str
    """Its name, or its date where tiles have dates of their own."""
    month: str
    """YYYY-MM of the middle of its timestep."""
    valid: float
    """Share of pixels with data in every band."""
    cloudy: float
    """Share of the valid pixels that look like cloud; 0 without any."""

    @property
    def usable(self) -> float:
        """Share of pixels that are valid and do not look like cloud."""
        return self.valid * (1 - self.cloudy)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuality:
    """What was measured on one product of a corpus."""

    product: str
    title: str
    chips: tuple[ChipQuality, ...]
    """In order of sample and time; a chip that is missing has no valid pixel."""
    observations: tuple[int, ...]
    """How many pixels rest on 0, 1, 2, … observations; empty where the corpus does not publish the number."""
    samples: int
    """Samples that were read."""
    of: int
    """Samples of the corpus."""

    @property
    def valid(self) -> float:
        """Mean share of valid pixels."""
        return float(np.mean([chip.valid for chip in self.chips]))

    @property
    def cloudy(self) -> float:
        """Share of the valid pixels that look like cloud."""
        valid = sum(chip.valid for chip in self.chips)
        return sum(chip.valid * chip.cloudy for chip in self.chips) / valid if valid else 0.0


def measurable(info: CorpusInfo) -> tuple[str, ...]:
    """Keys of the imagery whose reflectance has the bands blue, green, red and near infrared."""
    imagery = (item for item in info.products if item.product.kind == "imagery" and item.product.dtype == "uint16")
    return tuple(item.key for item in imagery if {*_NEEDED} <= {*bands_by_colour(info, item.key)})


def measure(corpus: Corpus, key: str, most: int = MEASURED) -> SeriesQuality | None:
    """Read the imagery of some samples and measure it.

    Args:
        corpus: in either layout.
        key: of a product, from `measurable`.
        most: samples to read.

    Returns:
        None where there is no chip.
    """
    info = corpus.sidecar.info
    names = bands_by_colour(info, key)
    whole = corpus.query(products=(key,), bands=tuple(names.values()))
    rows = whole.rows[:: -(-len(whole) // most) or 1]
    counter = _counter(info, key)
    counts = None if counter is None else corpus.query(products=(counter,))
    tally = np.zeros(0, np.int64)
    chips: list[ChipQuality] = []
    for identity, tile in zip(corpus.sidecar.texts(rows), corpus.sidecar.directories(rows).astype(str), strict=True):
        chips += _chips(whole, identity, str(tile), names)
        if counts is not None:
            tally = _added(tally, counts, identity)
    if not chips:
        return None
    return SeriesQuality(
        product=key,
        title=info.product(key).product.title,
        chips=tuple(chips),
        observations=tuple(tally.tolist()),
        samples=len(rows),
        of=len(whole),
    )


def bands_by_colour(info: CorpusInfo, key: str) -> dict[str, str]:
    """Common name → name of the bands of a product that the look for clouds uses."""
    wanted = (*_NEEDED, "swir16")
    found = {band.common_name: band.name for band in info.product(key).product.bands}
    return {name: found[name] for name in wanted if name in found}


def _counter(info: CorpusInfo, key: str) -> str | None:
    """Key of the product with the number of observations behind some composites, if it is published."""
    name = _COUNT if key == _PUBLISHED else f"{_COUNT}_{key}"
    return name if any(item.key == name for item in info.products) else None


def _chips(chosen: Selection, identity: str, tile: str, names: dict[str, str]) -> list[ChipQuality]:
    key = chosen.products[0]
    chips = load_pixels(chosen, identity, key)
    values = chips.values
    valid = (values != 0).all(axis=1)
    colours = {common: values[:, chips.bands.index(name)] / _SCALE for common, name in names.items()}
    cloudy = looks_like_cloud(colours) & valid
    shares, clouds = valid.mean(axis=(1, 2)), cloudy.mean(axis=(1, 2))
    dates = [str(moment)[:10] for moment in chips.times]
    steps = [step.name for step in chosen.sidecar.info.product(key).timesteps] or dates
    return [
        ChipQuality(
            sample=identity,
            tile=tile,
            timestep=step,
            month=date[:7],
            valid=float(share),
            cloudy=float(cloud / share) if share else 0.0,
        )
        for step, date, share, cloud in zip(steps, dates, shares, clouds, strict=True)
    ]


def _added(tally: NDArray[np.int64], chosen: Selection, identity: str) -> NDArray[np.int64]:
    found = np.bincount(load_pixels(chosen, identity, chosen.products[0]).values.ravel())
    total = np.zeros(max(len(tally), len(found)), np.int64)
    total[: len(tally)] += tally
    total[: len(found)] += found
    return total
