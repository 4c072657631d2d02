"""Samples as shapes and tables of geopandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from landloom.query.index.sidecar import Rows, Sidecar


def outlines(sidecar: Sidecar, rows: Rows) -> Any:
    """(sample,) shapely polygons of footprints in WGS84, as published."""
    import shapely

    from landloom.query.index.spatial import polygons

    shapes = polygons(sidecar.corners(rows, exact=True))
    for place in np.flatnonzero(np.isin(rows, sidecar.odd_rows)).tolist():
        number = int(np.searchsorted(sidecar.odd_rows, rows[place]))
        shapes[place] = shapely.from_wkb(sidecar.odd_outline(number))
    return shapes


def geodataframe(sidecar: Sidecar, rows: Rows, more: Mapping[str, Any]) -> gpd.GeoDataFrame:
    """One row per sample, indexed by id: zone, tile, stratum, split and footprint in WGS84.

    Args:
        sidecar: the index.
        rows: of the samples.
        more: name → (sample,) values of further columns.
    """
    import geopandas as gpd
    import pandas as pd

    from landloom.query.cql2.columns import RowColumns

    columns = RowColumns(sidecar, rows)
    data: dict[str, Any] = {}
    for name in ("zone", "tile", "stratum", "split"):
        words = columns.words(name)
        data[name] = np.array(list(words.texts), dtype=object)[words.codes]
    index = pd.Index(list(sidecar.texts(rows)), name="id")
    frame = pd.DataFrame(data | dict(more), index=index)
    return gpd.GeoDataFrame(frame, geometry=outlines(sidecar, rows), crs="EPSG:4326")
