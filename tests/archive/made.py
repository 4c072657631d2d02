"""Scenes of one granule in one year, by day and cloud."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from shapely import box

from landloom.model.scene import Scene
from landloom.model.time import Period

YEAR = Period.year(2018)
SCENE = Scene(
    id="s",
    time=YEAR.start,
    granule="33TWL",
    epsg=32633,
    footprint=box(15, 45, 16, 46),
    bands={},
    cloud_cover=10.0,
    nodata_share=0.0,
    size=500,
)


def scene(day: float, cloud: float | None = 10.0, granule: str | None = "33TWL", name: str = "") -> Scene:
    time = YEAR.start + timedelta(days=day)
    return replace(SCENE, id=name or f"{granule}-{day:06.2f}", time=time, cloud_cover=cloud, granule=granule)
