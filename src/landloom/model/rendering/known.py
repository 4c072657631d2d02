"""How well-known layers are shown, whichever product they belong to."""

from __future__ import annotations

from typing import Final

from landloom.model.rendering.palettes import distinct, named_rendering
from landloom.model.rendering.values import UNSEEN, Categorical, Continuous, Identifiers

REFLECTANCE: Final = Continuous(ramp="viridis", limits=(0.0, 0.5), unit="reflectance", nothing=UNSEEN)
"""A single band of imagery."""
BRIGHTEST: Final = 0.25
"""Reflectance of white in natural colours."""
GAMMA: Final = 1.6
"""Natural colours are brightened: shown share = (reflectance / brightest) ^ (1 / gamma)."""
PERCENT: Final = Continuous(limits=(0.0, 100.0), unit="%")
"""A probability, share or entropy in percent."""
PROBABILITY: Final = Continuous(limits=(0.0, 10_000.0), unit="1/10,000")
"""A probability in ten-thousandths."""
COUNT: Final = Continuous(unit="count")
"""A number of things."""
OBSERVATIONS: Final = Continuous(limits=(0.0, 12.0), unit="observations")
"""Valid observations in a month."""
VOTES: Final = Continuous(limits=(0.0, 6.0), unit="annotators")
"""Annotators who agree."""
DAYS: Final = Continuous(unit="days")
"""A duration."""
UNCERTAINTY: Final = Continuous(limits=(0.0, 500.0), unit="10,000 × reflectance")
"""Of fused reflectance."""
IDENTIFIERS: Final = Identifiers(colours=distinct(10))
"""Names of things."""


def flag(no: str, yes: str) -> Categorical:
    """A mask of 0 and 1.

    Example:
        >>> [one.name for one in flag("filled", "observed").classes]
        ['filled', 'observed']
    """
    return named_rendering(((0, no, "#3c1f55"), (1, yes, "#cbdb5b")))


SCL: Final = named_rendering(
    (
        (1, "Saturated or defective", "#fa0808"),
        (2, "Dark area or terrain shadow", "#2f2f2f"),
        (3, "Cloud shadow", "#633408"),
        (4, "Vegetation", "#088f3b"),
        (5, "Not vegetated", "#ffe65a"),
        (6, "Water", "#0000ff"),
        (7, "Unclassified", "#808080"),
        (8, "Cloud, medium probability", "#c1c0bd"),
        (9, "Cloud, high probability", "#fbfbfb"),
        (10, "Thin cirrus", "#61c4fa"),
        (11, "Snow or ice", "#ea73bc"),
    ),
    nothing="no data",
)
"""Scene classes of Sen2Cor, in colours near those of ESA."""
CLOUD: Final = named_rendering(
    (
        (0, "Clear", "#2f8f81"),
        (1, "Cloud", "#fbfbfb"),
        (2, "Cloud shadow", "#633408"),
        (3, "Cirrus", "#7cc4f7"),
    ),
    nothing="no image",
)
"""Cloud mask of fused series."""
CLAIMED: Final = named_rendering(
    (
        (0, "One class", "#fbfbfb"),
        (1, "Touched by several classes", "#d98032"),
        (2, "Covered by several classes", "#3c1f55"),
    )
)
"""Pixels that parcels of different class claim."""
CHANGED: Final = named_rendering(
    ((1, "Stable", "#cbdb5b"), (2, "Changed", "#b54e63")), nothing="no label on one of the dates"
)
"""Change between two label maps."""
_BITS: Final = ("partly covered", "fully covered", "same class", "edge of the region")


def _ambiguity() -> Categorical:
    colours = ("#fbfbfb", *distinct(15))
    names = ("; ".join(word for bit, word in enumerate(_BITS) if code >> bit & 1) for code in range(16))
    return named_rendering((code, name or "one parcel", colours[code]) for code, name in enumerate(names))


AMBIGUITY: Final = _ambiguity()
"""Which doubts there are about the parcel of a pixel, all sets of four bits."""
