"""Lineage: the scenes behind every timestep of a tile, and the scenes left out, as published in `lineage/`.

```json
{
  "tile": "33N_16E-243N",
  "product": "s2",
  "timesteps": [
    {
      "timestep": "2018-06",
      "scenes": [{"id": "S2B_33UUT_20180603_0_L2A", "datetime": "2018-06-03T10:10:21Z", "offset": 0, …}],
      "without_valid_pixels": [],
      "left_out": [{"id": "S2A_33UUT_20180608_0_L2A", "reason": "B11: truncated"}],
      "observations": 4.25
    }
  ]
}
```
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - pydantic reads the types at run time
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError

from landloom.errors import InvalidDocumentError, Problem
from landloom.model.sensor import SENTINEL_2_L2A
from landloom.model.time import format_instant

if TYPE_CHECKING:
    from landloom.model.scene import Scene

_STRICT: Final = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A scene that could not be used."""

    __pydantic_config__ = _STRICT

    id: str
    reason: str
    """File and fault, without paths of the machine that built the corpus."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRecord:
    """Displacement of a scene's image against the mean of the scenes of its tile, where it was measured.

    Example:
        >>> ShiftRecord(windows=0, corrected=False).document()
        {'windows': 0, 'corrected': False}
    """

    __pydantic_config__ = _STRICT

    east: float | None = None
    """Metres; None where too little could be compared."""
    north: float | None = None
    """Metres."""
    error: float | None = None
    """Standard error of either, metres."""
    ratio: float | None = None
    """Height of the correlation peak relative to the highest point elsewhere."""
    windows: int
    """Windows that it was measured in."""
    corrected: bool
    """Whether it was removed."""

    def document(self) -> dict[str, Any]:
        """As JSON values; what is not known is omitted."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class NadirRecord:
    """How a scene was brought to a nadir view and a fixed sun, where the recipe asks for it.

    Example:
        >>> NadirRecord(absent="no angles").document()
        {'absent': 'no angles'}
    """

    __pydantic_config__ = _STRICT

    sun: float | None = None
    """Mean zenith of the sun in degrees."""
    view: float | None = None
    """Mean zenith of the view in degrees."""
    factors: Mapping[str, float] | None = None
    """Band → mean factor that its reflectance was multiplied by."""
    absent: str | None = None
    """Why nothing was done."""

    def document(self) -> dict[str, Any]:
        """As JSON values; what is not known is omitted."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRecord:
    """A scene that was used, and how its values were processed."""

    __pydantic_config__ = _STRICT

    id: str
    """Id in the archive."""
    product: str | None = None
    """The agency's name of the product, where the archive has an id of its own."""
    datetime: str
    """Start of sensing, UTC."""
    granule: str | None
    """MGRS square."""
    level: str | None = None
    """Processing level."""
    baseline: str | None
    """Processing baseline."""
    offset: int
    """Offset added to stored values."""
    clamped: int | None = None
    """Number of valid values that the offset would have taken below 1."""
    cloud_cover: float | None
    """Percent, as stated by the archive."""
    validity: str | None = None
    """Source of the valid mask: the classification, the product's own masks, or `nodata only`."""
    stored: Mapping[str, str] | None = None
    """Band → conversion to 10,000 × reflectance, for bands that need more than the offset."""
    code: int | None = None
    """Number of its overpass in traceability layers."""
    shift: ShiftRecord | None = None
    """Displacement of its image, if the recipe has it measured."""
    nadir: NadirRecord | None = None
    """How it was brought to a nadir view, if the recipe asks for that."""

    @classmethod
    def of(
        cls,
        scene: Scene,
        *,
        clamped: int | None = None,
        level: bool = True,
        validity: str | None = None,
        stored: Mapping[str, str] | None = None,
        code: int | None = None,
        shift: ShiftRecord | None = None,
        nadir: NadirRecord | None = None,
    ) -> Self:
        """The record of a scene.

        Args:
            scene: the scene.
            clamped: number of values that the offset would have taken below 1; None if not counted.
            level: whether to include the processing level; a level other than L2A always is.
            validity: source of the valid mask.
            stored: band → conversion of its numbers.
            code: number of its overpass in traceability layers.
            shift: displacement of its image.
            nadir: how it was brought to a nadir view.
        """
        return cls(
            id=scene.id,
            product=scene.product,
            datetime=format_instant(scene.time),
            granule=scene.granule,
            level=scene.level if level or scene.level != SENTINEL_2_L2A.level else None,
            baseline=scene.baseline,
            offset=min((asset.offset for asset in scene.bands.values()), default=0),
            clamped=clamped,
            cloud_cover=scene.cloud_cover,
            validity=validity,
            stored=dict(stored) if stored else None,
            code=code,
            shift=shift,
            nadir=nadir,
        )

    def document(self) -> dict[str, Any]:
        """As JSON values; values that are not counted or stated are omitted."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["shift"] = None if self.shift is None else self.shift.document()
        values["nadir"] = None if self.nadir is None else self.nadir.document()
        stated = {name: value for name, value in values.items() if value is not None or name in _ALWAYS}
        if self.clamped is None:  # corpora of granules have it last
            stated["offset"] = stated.pop("offset")
        return stated


_ALWAYS: Final = frozenset({"granule", "baseline", "cloud_cover"})


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageStep:
    """One timestep of a tile."""

    __pydantic_config__ = _STRICT

    timestep: str
    """Name of the timestep."""
    datetime: str | None = None
    """Its stamp, if the axis is acquired."""
    day_of_year: int | None = None
    scenes: tuple[SceneRecord, ...]
    """Ordered by time, then id."""
    without_valid_pixels: tuple[str, ...] | None = None
    """Ids of scenes without valid pixels."""
    without_new_pixels: tuple[str, ...] | None = None
    """Ids of scenes of which other granules of the overpass show all valid pixels: only their masks were used."""
    without_data: tuple[str, ...] | None = None
    """Ids of scenes that had no data."""
    left_out: tuple[LeftOut, ...]
    """Ordered by id."""
    masks: Mapping[str, Mapping[str, str]] | None = None
    """Scene → mask → how it was used, of masks that the recipe names, and values that it does not define."""
    samples: int | None = None
    """Number of samples with the date."""
    valid: float | None = None
    """Mean share of their valid pixels."""
    observations: float | None = None
    """Mean number of valid observations per pixel."""

    def document(self) -> dict[str, Any]:
        """As JSON values; fields that do not apply are omitted."""
        values: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        values["scenes"] = [scene.document() for scene in self.scenes]
        values["left_out"] = [{"id": one.id, "reason": one.reason} for one in self.left_out]
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """Lineage of all timesteps of one product and tile.

    Example:
        >>> step = LineageStep(timestep="2018-06", scenes=(), left_out=(), without_data=())
        >>> lineage = Lineage(timesteps=(step,))
        >>> read_lineage(lineage.encode("33N_16E-243N", "s2")) == ("33N_16E-243N", "s2", lineage)
        True
    """

    __pydantic_config__ = _STRICT

    timesteps: tuple[LineageStep, ...]
    """Timesteps in time order."""
    months_without: tuple[str, ...] | None = None
    """Months without a scene, if the policy requires one per month."""
    wanted: int | None = None
    """Number of scenes required by the policy."""
    made: str | None = None
    """How the series came about, if it was not made here: `imported`; its scenes are then the delivered files."""

    @property
    def left_out(self) -> dict[str, str]:
        """Scene → why it was left out of a timestep."""
        return {one.id: one.reason for step in self.timesteps for one in step.left_out}

    @property
    def codes(self) -> dict[str, str]:
        """Code of traceability layers → the scenes of its overpass, by code."""
        found: dict[int, set[str]] = {}
        for step in self.timesteps:
            for scene in step.scenes:
                if scene.code is not None:
                    found.setdefault(scene.code, set()).add(scene.id)
        return {str(code): " ".join(sorted(found[code])) for code in sorted(found)}

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        document: dict[str, Any] = {"timesteps": [step.document() for step in self.timesteps]}
        if self.months_without is not None:
            document |= {"months_without": list(self.months_without), "wanted": self.wanted}
        return document if self.made is None else {"made": self.made, **document}

    def encode(self, tile: str, product: str) -> bytes:
        """The published document.

        Args:
            tile: zone and tile name.
            product: key of the product in the recipe.
        """
        document = {"tile": tile, "product": product, **self.document()}
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)

    @classmethod
    def of_document(cls, document: Mapping[str, Any], subject: str = "lineage") -> Self:
        """Parse JSON values.

        Raises:
            InvalidDocumentError: with every problem in them.
        """
        try:
            lineage: Self = _adapter(cls).validate_python(document)  # type: ignore[arg-type] # mypy: a type of Self cannot be hashed
        except ValidationError as error:
            problems = [
                Problem(where=".".join(map(str, entry["loc"])), what=f"{entry['msg'][:1].lower()}{entry['msg'][1:]}")
                for entry in error.errors(include_url=False)
            ]
            raise InvalidDocumentError(subject, problems) from error
        return lineage


@cache
def _adapter(kind: type[Lineage]) -> TypeAdapter[Any]:
    """Its validator: building one takes longer than a thousand documents."""
    return TypeAdapter(kind)


def read_lineage(content: bytes, subject: str = "lineage") -> tuple[str, str, Lineage]:
    """Parse a published document.

    Args:
        content: its bytes.
        subject: its name in errors.

    Returns:
        Tile, key of the product in the recipe, and the lineage.

    Raises:
        InvalidDocumentError: not JSON, or fields that are missing, unknown or of a wrong type; all are listed.
    """
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise InvalidDocumentError(subject, [Problem(where="", what=f"is not JSON: {error}")]) from error
    if not isinstance(document, dict):
        raise InvalidDocumentError(subject, [Problem(where="", what="got no object")])
    tile, product = document.pop("tile", None), document.pop("product", None)
    named = {"tile": tile, "product": product}
    problems = [
        Problem(where=key, what=f"got {value!r}, expected text")
        for key, value in named.items()
        if not isinstance(value, str)
    ]
    try:
        lineage = Lineage.of_document(document, subject)
    except InvalidDocumentError as error:
        raise InvalidDocumentError(subject, [*problems, *error.problems]) from error
    if problems:
        raise InvalidDocumentError(subject, problems)
    return str(tile), str(product), lineage
