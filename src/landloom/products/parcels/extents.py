"""Size statistics of parcels, for choosing the window size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely

from landloom.errors import InvalidInputError
from landloom.model.grid import WGS84
from landloom.model.ids import Zone
from landloom.model.shapes import middle_of, reproject, together
from landloom.reports.rasters import histogram
from landloom.sampling.windows import centred_window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.labels.parcels import Parcels

SIZES: Final = (24, 48, 64)
"""Window sizes of a description, in pixels of 10 m."""
PERCENTILES: Final = (5, 25, 50, 75, 90, 95, 99, 100)
"""Percentiles of extents in a description."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """Sizes of parcels, for choosing a window."""

    parcels: int
    rejected: int
    epsg: int
    """UTM zone of the measurement."""
    extents: NDArray[np.float64]
    """(parcel, 3) extents in metres: west to east, south to north, and the larger of both."""
    area: NDArray[np.float64]
    """(parcel,) area in hectares."""
    fits: Mapping[int, tuple[float, float]]
    """Window in pixels of 10 m → share of parcels whose extents are no larger; share that fits completely in a window
    centred on the parcel and snapped to 60 m."""
    classes: Mapping[str, int]
    """Value in the source → number of parcels, largest first."""

    def percentiles(self) -> dict[str, list[float]]:
        """Extents in metres and areas in hectares at `PERCENTILES`."""
        columns = {name: self.extents[:, place] for place, name in enumerate(("east_west", "north_south", "largest"))}
        columns["hectares"] = self.area
        return {
            name: np.round(np.percentile(column, PERCENTILES), 2).tolist() if len(column) else []
            for name, column in columns.items()
        }

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "parcels": self.parcels,
            "rejected": self.rejected,
            "epsg": self.epsg,
            "percentiles": list(PERCENTILES),
            **self.percentiles(),
            "classes": dict(self.classes),
            "fits": {str(size): {"extent": share, "centred": centred} for size, (share, centred) in self.fits.items()},
        }


def describe_parcels(parcels: Parcels, sizes: Sequence[int] = SIZES) -> Description:
    """Measure the extents of parcels in their UTM zone.

    Args:
        parcels: the usable parcels.
        sizes: window sizes, in pixels of 10 m.

    Raises:
        InvalidInputError: there is no parcel.

    Example:
        >>> import geopandas, shapely
        >>> from landloom.labels.parcels import parcels_of
        >>> outlines = shapely.box([500_000, 500_600], 0, [500_200, 500_900], 100)
        >>> frame = geopandas.GeoDataFrame({"ground_truth": ["a", "b"]}, geometry=outlines, crs=32633)
        >>> described = describe_parcels(parcels_of(frame), sizes=[24])
        >>> described.percentiles()["largest"][-1], described.fits
        (300.0, {24: (0.5, 0.5)})
    """
    if not len(parcels):
        raise InvalidInputError("got no usable parcels, expected at least one")
    epsg = _zone(parcels)
    moved = parcels.in_crs(epsg)
    bounds = shapely.bounds(moved.geometries).reshape(-1, 4)
    spans = bounds[:, 2:] - bounds[:, :2]
    extents = np.column_stack([spans, spans.max(axis=1)])
    values, counts = np.unique(moved.values, return_counts=True)
    names = (
        {} if moved.mapping is None else {code: value for value, code in reversed(list(moved.mapping.codes.items()))}
    )
    ranked = sorted(zip(values.tolist(), counts.tolist(), strict=True), key=lambda row: (-row[1], row[0]))
    return Description(
        parcels=len(moved),
        rejected=len(moved.rejected),
        epsg=epsg,
        extents=extents,
        area=shapely.area(moved.geometries) / 10_000,
        fits={size: (float((extents[:, 2] <= 10 * size).mean()), _centred(bounds, 10.0 * size)) for size in sizes},
        classes={str(names.get(value, value)): count for value, count in ranked},
    )


def _zone(parcels: Parcels) -> int:
    """UTM zone of the centre of all parcels; their own CRS if it is a UTM zone."""
    codes = list(dict.fromkeys(parcels.crs.tolist()))
    if len(codes) == 1 and isinstance(codes[0], int) and codes[0] // 100 in {326, 327}:
        return codes[0]
    boxes = [
        shapely.box(*shapely.total_bounds(together(parcels.geometries[parcels.crs == code], code))) for code in codes
    ]
    centres = [reproject(box.centroid, code, WGS84) for box, code in zip(boxes, codes, strict=True)]
    return Zone.of(*middle_of(shapely.GeometryCollection(centres))).epsg


def _centred(bounds: NDArray[np.float64], side: float) -> float:
    corner = centred_window(bounds, side)
    whole = (bounds[:, :2] >= corner).all(axis=1) & (bounds[:, 2:] <= corner + side).all(axis=1)
    return float(whole.mean())


def extents_figure(described: Description) -> bytes:
    """Histogram of the largest extents, with the window sizes, as PNG."""
    marks = [(10.0 * size, f"{size} px: {share:.0%}") for size, (share, _) in described.fits.items()]
    return histogram(described.extents[:, 2], marks, "largest extent of a parcel, m", "parcels")
