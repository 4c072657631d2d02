"""Small fused tiles with a known course: scenes as files, the unit of work, and the cubes that it writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import zarr
from shapely import box

from landloom.corpus.layout import Layout
from landloom.engine.pixels.masks import PixelMask
from landloom.formats.geotiff import encode_geotiff
from landloom.model.product import PRODUCTS
from landloom.model.sample import Sample
from landloom.model.scene import Role, Scene, SceneFile
from landloom.model.time import Cadence, Period
from landloom.products.fused.sightings import Source
from landloom.products.fused.task import FusedTask

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.engine.units import Outcome
    from landloom.model.grid import Grid
    from landloom.model.ids import SampleId

BANDS = ("B02", "B03", "B04", "B08")
START = datetime(2018, 5, 1, 10, tzinfo=UTC)
NOISE = 30.0


def truth(days: NDArray[np.float64], grid: Grid) -> NDArray[np.float64]:
    """(day, band, y, x): fields of 120 m with dates of their own, and grain, as functions of the place.

    No edge of a field lies on one of samples, where steps would be larger anyway.
    """
    rows = grid.north - (np.arange(grid.height) + 0.5)[:, None] * grid.resolution
    columns = grid.west + (np.arange(grid.width) + 0.5)[None, :] * grid.resolution
    field = np.floor((rows + 50) / 120) * 5 + np.floor((columns + 50) / 120) * 3
    grain = 1 + 0.05 * np.sin(rows / 31) * np.cos(columns / 23)
    green = 1 / (1 + np.exp(-(days[:, None, None] - 30 - (field % 7 - 3) * 5.0) / 8))
    return np.stack(
        [
            (base + rise * green) * grain
            for base, rise in zip((500, 700, 800, 1800), (-150, 100, -400, 2200), strict=True)
        ],
        axis=1,
    )


@dataclass
class Tiles:
    """An archive in a folder, and the work on samples of it."""

    folder: Path
    grid: Grid
    """Of the scenes."""
    days: tuple[int, ...] = tuple(range(0, 60, 5))
    cloudy: float = 0.4
    root: str | None = None
    """Address of the folder, if it is read over the web."""
    scenes: list[Scene] = field(default_factory=list)

    def write(self, change: Any = None, name: str = "s", noise: float = NOISE) -> list[Scene]:
        """Write a scene for each day; `change(day, bands, classes)` alters the arrays in place."""
        clouds = np.random.default_rng(5)
        made = []
        for day in self.days:
            rng = np.random.default_rng([day, len(name)])
            values = truth(np.array([float(day)]), self.grid)[0] + rng.normal(0, noise, (4, *self.grid.shape))
            bands = np.rint(values).clip(1, 65_534).astype(np.uint16)
            classes = np.full(self.grid.shape, 4, np.uint8)
            if clouds.random() < self.cloudy:
                classes[: int(clouds.integers(self.grid.height)), :] = 9
            bands[:, classes == 9] = 7_000
            if change is not None:
                change(day, bands, classes)
            made.append(self._scene(f"{name}{day:03d}", day, bands, classes))
        return made

    def _scene(self, name: str, day: int, bands: NDArray[np.uint16], classes: NDArray[np.uint8]) -> Scene:
        files = {}
        for band, array in [*zip(BANDS, bands, strict=True), ("SCL", classes)]:
            path = self.folder / f"{name}_{band}.tif"
            path.write_bytes(encode_geotiff(array[None], self.grid, nodata=0))
            files[band] = SceneFile(href=str(path) if self.root is None else f"{self.root}/{path.name}")
        return Scene(
            id=name,
            time=START + timedelta(days=day),
            granule="33UUU",
            epsg=self.grid.epsg,
            footprint=box(0, 0, 1, 1),
            bands={band: files[band] for band in BANDS},
            layers={Role.CLASSIFICATION: files["SCL"]},
            platform="a",
            orbit=1,
        )

    def task(
        self, out: str, cells: list[SampleId], scenes: list[Scene], second: list[Scene] | None = None, **changes: Any
    ) -> FusedTask:
        """The unit that a build would run."""
        resolution = self.grid.resolution
        pair = (PRODUCTS["pfsr"], replace(PRODUCTS["pfqa"], dtype="uint16", nodata=65_535))
        return replace(
            FusedTask(
                store=str(self.folder / out),
                layout=Layout(name="t", version="1.0"),
                layouts=("cubes",),
                products=(replace(pair[0], resolution=resolution), replace(pair[1], resolution=resolution)),
                first=source(scenes),
                second=None if second is None else source(second),
                resolution=resolution,
                samples=tuple(Sample.of_utm24(cell) for cell in sorted(cells)),
                timesteps=Cadence.parse("5 days").timesteps(Period.parse("2018-05-01", "2018-06-30")),
            ),
            **changes,
        )


def source(scenes: list[Scene]) -> Source:
    return Source(bands=BANDS, mask=PixelMask(), passes=tuple((one,) for one in scenes), footprint=1)


def cubes(task: FusedTask) -> tuple[Outcome, NDArray[np.uint16], NDArray[np.uint16]]:
    """Do the work: its outcome, series and layers (sample, time, band, y, x)."""
    outcome = task.run()
    found = []
    for product in task.products:
        folder = f"{task.store}/{task.layout.cube(task.samples[0].id, product)}"
        group: Any = zarr.open_group(folder, mode="r")
        found.append(group["data"][:])
    return outcome, *found


def notes(outcome: Outcome) -> dict[str, int]:
    """What → number."""
    return {note.what: note.count for note in outcome.notes}
