"""What the numbers of a band are, for those who draw them: a quantity with a ramp, or codes of classes with colours."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidValueError, NotFoundError
from landloom.model.rendering.colour import rgb

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

RAMPS: Final[dict[str, tuple[str, ...]]] = {
    "viridis": ("#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"),
    "greys": ("#000000", "#ffffff"),
    "change": ("#0b3c8c", "#6ea6d6", "#f2f2f2", "#e59a5b", "#8a3a06"),
}
"""Name → colours at even distances from the lowest to the highest number. `viridis` (van der Walt and Smith 2015) grows
lighter evenly, for every kind of vision; `change` has its lightest colour in the middle, at no change."""
NOTHING: Final = "no data"
UNSEEN: Final = "no usable observation (cloud, shadow, or no image)"
"""What nodata of imagery means."""
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownClass:
    """A class in a legend."""

    code: int
    """Stored number."""
    name: str
    """For people."""
    colour: str
    """`#rrggbb`, lower case."""

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.colour):
            raise InvalidValueError(f"got colour {self.colour!r}, expected #rrggbb in lower case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Categorical:
    """Numbers are codes of classes.

    Example:
        >>> water = ShownClass(code=1, name="Water", colour="#1f5fbf")
        >>> Categorical(classes=(water,)).painted(np.array([[1, 0]])).tolist()
        [[[31, 95, 191, 255], [0, 0, 0, 0]]]
    """

    classes: tuple[ShownClass, ...]
    """In the order of the legend; codes are unique."""
    nothing: str = NOTHING
    """What nodata means."""

    def __post_init__(self) -> None:
        codes = [one.code for one in self.classes]
        if len(set(codes)) != len(codes):
            raise InvalidValueError(f"got codes {codes}, expected each once")

    def painted(self, codes: NDArray[Any]) -> NDArray[np.uint8]:
        """(..., 4) red, green, blue and opacity of codes of any shape; codes without a class are transparent."""
        picture = np.zeros((*codes.shape, 4), np.uint8)
        for one in self.classes:
            picture[codes == one.code] = (*rgb(one.colour), 255)
        return picture

    def document(self) -> dict[str, Any]:
        """As JSON; `parse_rendering` reads it back."""
        return {"kind": "categorical", "classes": [asdict(one) for one in self.classes], "nothing": self.nothing}


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifiers:
    """Numbers are names of things, such as parcels: neighbours differ in colour, which else means nothing."""

    colours: tuple[str, ...]
    """Number n has colour n modulo their count."""
    nothing: str = NOTHING
    """What nodata means."""

    def painted(self, numbers: NDArray[Any]) -> NDArray[np.uint8]:
        """(..., 4) red, green, blue and opacity of whole numbers of any shape."""
        table = np.array([(*rgb(colour), 255) for colour in self.colours], np.uint8)
        found: NDArray[np.uint8] = table[np.mod(numbers, len(table)).astype(np.intp)]
        return found

    def document(self) -> dict[str, Any]:
        """As JSON; `parse_rendering` reads it back."""
        return {"kind": "identifiers", "colours": list(self.colours), "nothing": self.nothing}


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuous:
    """Numbers are a quantity.

    Example:
        >>> percent = Continuous(limits=(0, 100), unit="%")
        >>> percent.stops[0], percent.painted(np.array([100]), (0, 100)).tolist()
        ((0.0, '#440154'), [[253, 231, 37, 255]])
    """

    ramp: str = "viridis"
    """Key of `RAMPS`."""
    limits: tuple[float, float] | None = None
    """Numbers of the first and last colour, in the unit; None for those of the data."""
    unit: str | None = None
    """Of the numbers, once they are scaled."""
    nothing: str = NOTHING
    """What nodata means."""

    def __post_init__(self) -> None:
        if self.ramp not in RAMPS:
            raise NotFoundError.of("ramp", self.ramp, RAMPS)
        if self.limits is not None and not self.limits[0] < self.limits[1]:
            raise InvalidValueError(f"got limits {self.limits}, expected the lower one first")

    @property
    def stops(self) -> tuple[tuple[float, str], ...]:
        """Place on the ramp, 0 to 1, and colour."""
        colours = RAMPS[self.ramp]
        return tuple((place / (len(colours) - 1), colour) for place, colour in enumerate(colours))

    def painted(self, numbers: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
        """(..., 4) red, green, blue and opacity of numbers of any shape, which are finite."""
        low, high = limits
        share = np.clip((np.asarray(numbers, np.float64) - low) / (high - low), 0, 1)
        table = np.array([rgb(colour) for _, colour in self.stops], np.float64)
        places = np.linspace(0, 1, len(table))
        parts = [np.interp(share, places, table[:, channel]) for channel in range(3)]
        return np.round(np.stack([*parts, np.full(share.shape, 255.0)], axis=-1)).astype(np.uint8)

    def document(self) -> dict[str, Any]:
        """As JSON; `parse_rendering` reads it back."""
        limits = None if self.limits is None else list(self.limits)
        return {"kind": "continuous", "ramp": self.ramp, "limits": limits, "unit": self.unit, "nothing": self.nothing}


Rendering = Categorical | Identifiers | Continuous


def parse_rendering(document: Mapping[str, Any]) -> Rendering:
    """Read a rendering back.

    Raises:
        NotFoundError: no such kind or ramp.
        InvalidValueError: invalid limits, codes or colours.

    Example:
        >>> percent = Continuous(limits=(0, 100), unit="%")
        >>> parse_rendering(percent.document()) == percent
        True
    """
    fields = {name: value for name, value in document.items() if name != "kind"}
    if document["kind"] == "categorical":
        return Categorical(**fields | {"classes": tuple(ShownClass(**row) for row in fields["classes"])})
    if document["kind"] == "identifiers":
        return Identifiers(**fields | {"colours": tuple(fields["colours"])})
    if document["kind"] == "continuous":
        limits = fields["limits"]
        return Continuous(**fields | {"limits": None if limits is None else (limits[0], limits[1])})
    raise NotFoundError.of("kind of rendering", str(document["kind"]), ("categorical", "continuous", "identifiers"))
