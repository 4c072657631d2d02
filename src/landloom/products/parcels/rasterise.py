"""Parcels without a corpus: rasters of class, id, coverage and ambiguity, with their tables."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from math import ceil, floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.engine.sources.parcels import classes_csv, rejected_csv
from landloom.errors import InvalidInputError
from landloom.formats.csv_table import csv_bytes
from landloom.labels.layers import LAYERS, layers_by_block, locate
from landloom.model.grid import WGS84, Grid
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from landloom.labels.layers import LocatedParcels
    from landloom.labels.parcels import Parcels

TILE: Final = 512
"""Tile size of the raster files; blocks are whole tiles."""
TABLES: Final = ("classes.csv", "rejected.csv", "ids.csv")
"""Files written in addition to the rasters."""
PIXEL: Final = 22
"""Bytes per pixel in all rasters together, before compression."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RasteriseReport:
    """Result of a rasterisation."""

    folder: Path
    """Folder of the files."""
    shape: tuple[int, int]
    """Rows and columns of the grid."""
    parcels: int
    """Parcels on the rasters."""
    clipped: int
    """Number of parcels cut at the edge of the grid."""
    repaired: int
    """Number of parcels whose geometry was repaired."""
    rejected: int
    """Number of rejected parcels; `rejected.csv` gives the reasons."""
    labelled: int
    """Pixels with a parcel."""
    doubtful: int
    """Pixels with an ambiguity bit."""
    nobody: int
    """What stands for no parcel in `ids.tif`: 0, or -1 where a parcel has that id."""
    renumbered: bool
    """Whether ids are no whole numbers, so that `ids.tif` holds their places in `ids.csv`."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"folder": str(self.folder), "shape": list(self.shape)}


def rasterise_files(parcels: Parcels, grid: Grid, out: str | Path, *, force: bool = False) -> RasteriseReport:
    """Write parcels as GeoTIFFs, window by window, with their tables.

    Memory holds the parcels, one block of 1024² pixels and GDAL's cache of 64 MiB, whatever the size of the grid. The
    bytes depend only on the parcels, not on the order of their rows.

    Args:
        parcels: in any CRS; see `landloom.engine.sources.parcels`.
        grid: grid of the rasters.
        out: folder for `classes.tif ids.tif ratios.tif distances.tif masks.tif ambiguity.tif rejected.csv classes.csv`;
            also `ids.csv` if the source's ids are not numbers.
        force: write even into a folder with other files, and even if the disk may be too small.

    Raises:
        InvalidInputError: no parcel lies on the grid; or, unless forced, the folder contains other files, or the disk
            has less space than the uncompressed rasters need.

    Example:
        >>> import geopandas, shapely, tempfile
        >>> from landloom.labels.parcels import parcels_of
        >>> frame = geopandas.GeoDataFrame(
        ...     {"id": [8, 9], "ground_truth": [1, 2]}, geometry=shapely.box([0, 25], 0, [30, 60], 10), crs=32633
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = rasterise_files(parcels_of(frame), Grid.of_bounds(32633, (0, 0, 50, 10), 10), folder)
        >>> report.parcels, report.clipped, report.labelled, report.doubtful
        (2, 1, 5, 3)
    """
    folder = Path(out)
    if not force:
        _check_folder(folder)
        _check_room(folder, grid)
    located = locate(parcels, grid)
    folder.mkdir(parents=True, exist_ok=True)
    labelled, doubtful = _write_layers(located, folder)
    write_tables(located.parcels, folder)
    return RasteriseReport(
        folder=folder,
        shape=grid.shape,
        parcels=len(located.parcels),
        clipped=int(located.clipped.sum()),
        repaired=len(parcels.repaired),
        rejected=len(located.rejected),
        labelled=labelled,
        doubtful=doubtful,
        nobody=located.nobody,
        renumbered=bool(located.parcels.names),
    )


def _check_folder(folder: Path) -> None:
    known = {*(f"{name}.tif" for name in LAYERS), *TABLES}
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(f"{folder}: is a file, expected a folder for rasters and tables")
    strange = sorted(path.name for path in folder.iterdir() if path.name not in known) if folder.exists() else []
    if strange:
        more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
        names = ", ".join(strange[:3])
        raise InvalidInputError(f"{folder}: contains {names}{more}, expected an empty folder or --force")


def _check_room(folder: Path, grid: Grid) -> None:
    """Compression reduces the size by an unknown factor, so only clearly impossible sizes are refused."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    size, free = grid.width * grid.height * PIXEL, shutil.disk_usage(there).free
    if size > free:
        raise InvalidInputError(
            f"got {grid.height:,} × {grid.width:,} pixels: {size / 1e9:,.1f} GB before compression, but {there} has "
            f"{free / 1e9:,.1f} GB left; expected a smaller region, larger pixels, or --force"
        )


def _write_layers(located: LocatedParcels, folder: Path) -> tuple[int, int]:
    """Write every layer; returns the number of pixels with a parcel, and of ambiguous pixels."""
    import rasterio
    from rasterio.windows import Window

    labelled = doubtful = 0
    with ExitStack() as stack:
        stack.enter_context(rasterio.Env(GDAL_CACHEMAX=64 * 2**20, GDAL_NUM_THREADS=1))
        files = {
            name: stack.enter_context(rasterio.open(folder / f"{name}.tif", "w", **_profile(name, located)))
            for name in LAYERS
        }
        for (row, column, height, width), part in layers_by_block(located, 2 * TILE):
            window = Window(column, row, width, height)
            for name, file in files.items():
                file.write(getattr(part, name), 1, window=window)
            labelled += int(np.count_nonzero(part.ids != part.nobody))
            doubtful += int(np.count_nonzero(part.ambiguity))
        for name, file in files.items():
            file.set_band_description(1, name)
    return labelled, doubtful


def _profile(name: str, located: LocatedParcels) -> dict[str, Any]:
    grid, mapping = located.grid, located.parcels.mapping
    kinds: dict[str, tuple[str, float | None]] = {
        "classes": ("float32", float("nan")) if mapping is None else (mapping.dtype.name, None),
        "ids": ("int64", located.nobody or None),
        "ratios": ("float32", None),
        "distances": ("float32", float("nan")),
        "masks": ("uint8", None),
        "ambiguity": ("uint8", None),
    }
    dtype, nodata = kinds[name]
    return {
        "driver": "GTiff",
        "dtype": dtype,
        "nodata": nodata,
        "count": 1,
        "width": grid.width,
        "height": grid.height,
        "crs": f"EPSG:{grid.epsg}",
        "transform": grid.affine,
        "tiled": True,
        "blockxsize": TILE,
        "blockysize": TILE,
        "compress": "deflate",
        "predictor": 3 if dtype == "float32" else 2,
        "bigtiff": "if_safer",
    }


def write_tables(parcels: Parcels, folder: Path) -> None:
    """Write `classes.csv`, `rejected.csv` and, if ids are not numbers, `ids.csv`."""
    (folder / "rejected.csv").write_bytes(rejected_csv(parcels.rejected, parcels.repaired))
    if parcels.mapping is not None:
        (folder / "classes.csv").write_bytes(classes_csv(parcels.mapping.rows()))
    if parcels.names:
        rows = zip(parcels.ids.tolist(), parcels.names, strict=True)
        (folder / "ids.csv").write_bytes(csv_bytes(("id", "name"), rows))


def grid_for(
    *,
    like: str | None = None,
    bounds: tuple[float, float, float, float] | None = None,
    epsg: int | None = None,
    resolution: float | None = None,
) -> Grid:
    """The grid requested by the user: that of a raster, at its own or another resolution, or bounds.

    Args:
        like: a raster with the grid.
        bounds: west, south, east, north in `epsg`; extended outwards to multiples of the resolution.
        epsg: CRS of the bounds.
        resolution: pixel size in metres; by default that of the raster, or 10 for bounds.

    Raises:
        InvalidInputError: neither or both, bounds without a CRS, or a resolution that does not nest with 10 m.

    Example:
        >>> grid_for(bounds=(3, 3, 98, 41), epsg=32633).bounds
        (0.0, 0.0, 100.0, 50.0)
    """
    if resolution is not None:
        nests(resolution)
    if (like is None) == (bounds is None):
        raise InvalidInputError("expected either --like RASTER or --bounds W S E N with --crs")
    if like is not None:
        with open_raster(like) as file:
            own = file.grid
        return own if resolution is None else own.at(resolution)
    if epsg is None or bounds is None:
        raise InvalidInputError("got bounds without a CRS, expected --crs, such as EPSG:32633")
    step = resolution or 10.0
    west, south, east, north = bounds
    if not (west < east and south < north):
        raise InvalidInputError(f"got bounds {bounds}, expected west, south, east, north in order")
    if epsg == WGS84:
        raise InvalidInputError("got bounds in degrees, expected them in a CRS in metres, such as EPSG:32633")
    outer = (floor(west / step) * step, floor(south / step) * step, ceil(east / step) * step, ceil(north / step) * step)
    return Grid.of_bounds(epsg, outer, step)


def nests(resolution: float) -> None:
    """Refuse a pixel size that is neither a divisor nor a multiple of the 10 m of the finest bands.

    Raises:
        InvalidInputError: invalid or not nesting pixel size.

    Example:
        >>> nests(2.5), nests(60)
        (None, None)
        >>> nests(3)
        Traceback (most recent call last):
        landloom.errors.InvalidInputError: got a resolution of 3 m, expected one that divides or multiplies 10 m, ...
    """
    whole = resolution > 0 and any(abs(n - round(n)) < 1e-9 for n in (10 / resolution, resolution / 10))
    if not whole:
        wanted = "one that divides or multiplies 10 m, such as 2.5"
        raise InvalidInputError(f"got a resolution of {resolution:g} m, expected {wanted}")
