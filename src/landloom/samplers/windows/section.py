"""Sections of a recipe that choose windows."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from landloom.model.ids import WindowId
from landloom.model.recipe import PeriodSection, SamplerSection, Share


def known_anchor(text: str | None) -> str | None:
    """Refuse text that is neither a granule nor a zone and corner.

    Raises:
        InvalidIdentityError: says what was expected.
    """
    if text is not None:
        WindowId(text, 1, 1)
    return text


class WindowGrid(SamplerSection):
    """Windows placed side by side from an anchor (scheme `window`)."""

    scheme: ClassVar[str] = "window"

    draw: Literal["windows"]
    anchor: str | None = None
    """A granule, or `33N-499980E-5100000N`: zone and north-west corner in metres; by default the region's own corner on
    multiples of 60 m."""
    size: Annotated[int, Field(ge=1)] = 24
    """Side of a window in pixels of the first product."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Metres of such a pixel."""
    rows: Annotated[int, Field(ge=1)] | None = None
    """Rows of windows; by default as many as the region needs."""
    columns: Annotated[int, Field(ge=1)] | None = None
    """Columns of windows; by default as many as the region needs."""
    labelled: Share | None = None
    """Only windows with a labelled pixel, and at least this share of them; by default all. Needs `parcels`."""
    seasons: dict[Annotated[int, Field(ge=1900, le=9999)], PeriodSection] = {}
    """Label year → its season, which may cross New Year: each window is a sample of each year, with the labels of that
    year and the dates of its season. By default one sample per window, with all dates of the period."""

    _named = field_validator("anchor")(known_anchor)


class ParcelWindows(SamplerSection):
    """A window around each parcel, snapped to 60 m (scheme `window`); rows and columns count steps of 60 m."""

    scheme: ClassVar[str] = "window"

    draw: Literal["parcels"]
    anchor: str | None = None
    """As in `windows`."""
    size: Annotated[int, Field(ge=1)] = 24
    """Side of a window in pixels of the first product."""
    resolution: Annotated[float, Field(gt=0)] = 10.0
    """Metres of such a pixel."""
    others: Literal["background", "keep"] = "keep"
    """Treatment of other parcels in the window."""
    vertices: Annotated[int, Field(ge=3)] = 32
    """Number of points of the resampled outline of the parcel."""
    whole: bool = False
    """Whether parcels that extend beyond their window are left out."""
    seasons: dict[Annotated[int, Field(ge=1900, le=9999)], PeriodSection] = {}
    """Label year → its season, which may cross New Year: each window is a sample of each year, with the labels of that
    year and the dates of its season. By default one sample per window, with all dates of the period."""

    _named = field_validator("anchor")(known_anchor)
