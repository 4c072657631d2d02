"""Claims of parcels against exactextract; class fractions against a bincount; memory of a country of parcels."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from benchmarks.memory import peak_gib
from benchmarks.timing import speedup
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from geopandas import GeoDataFrame

from landloom.labels.claims import assign, claims_on
from landloom.labels.coverage import coverage_of, rings_of
from landloom.labels.histogram import count_values
from landloom.model.grid import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS_A_PARCEL = 209


def parcels(count: int = 2000, seed: int = 1) -> tuple[GeoDataFrame, Grid]:
    """Voronoi cells of about 209 pixels, resampled to 33 vertices and swollen by 1 % so that they overlap."""
    rng = np.random.default_rng(seed)
    side = 10 * np.sqrt(count * PIXELS_A_PARCEL)
    points = shapely.MultiPoint(rng.uniform(0, side, (count, 2)))
    square = shapely.box(0, 0, side, side)
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square)), square)
    steps = np.linspace(0, 1, 32, endpoint=False)
    shapes = []
    for ring in shapely.get_exterior_ring(cells):
        vertices = shapely.get_coordinates(shapely.line_interpolate_point(ring, steps, normalized=True))
        middle = vertices.mean(axis=0)
        shape = shapely.Polygon((vertices - middle) * 1.01 + middle + rng.normal(0, 0.3, vertices.shape))
        shapes.append(shape if shape.is_valid else shape.convex_hull)
    origin = np.array([500_040.0, 5_000_040.0])
    moved = shapely.transform(np.array(shapes), lambda vertices: vertices + origin)
    size = int(np.ceil(side / 60) + 2) * 60
    grid = Grid.of_bounds(32633, (499_980, 4_999_980, 499_980 + size, 4_999_980 + size), 10)
    return GeoDataFrame(geometry=moved, crs=32633), grid


def claims_against_exactextract() -> dict[str, float]:
    frame, grid = parcels()
    west, south, east, north = grid.bounds
    source = NumPyRasterSource(
        np.zeros(grid.shape, np.uint8), xmin=west, ymin=south, xmax=east, ymax=north, srs_wkt=frame.crs.to_wkt()
    )
    kinds = np.random.default_rng(0).integers(1, 12, len(frame))

    def peer() -> Any:
        return exact_extract(source, frame, ["cell_id", "coverage"], output="pandas")

    def ours() -> Any:
        return coverage_of(frame.geometry.to_numpy(), grid)

    def assigned() -> Any:
        rings = rings_of(frame.geometry.to_numpy(), grid)
        return assign(claims_on(rings, (0, 0, *grid.shape)), kinds)

    return {
        "claims": speedup(ours, peer),
        "claims_assigned": speedup(assigned, peer),
        "claims_error": _error(frame, grid),
    }


def _error(frame: GeoDataFrame, grid: Grid) -> float:
    """The largest difference from shapely's areas over all pixels of 200 parcels."""
    claims = coverage_of(frame.geometry.to_numpy()[:200], grid)
    row, column = np.divmod(claims.pixel, grid.width)
    x, y = grid.west + column * 10, grid.north - row * 10
    shapes = frame.geometry.to_numpy()[claims.polygon]
    true = shapely.area(shapely.intersection(shapely.box(x, y - 10, x + 10, y), shapes)) / 100
    return float(np.abs(claims.coverage - true).max())


def fractions_against_bincount() -> dict[str, float]:
    rng = np.random.default_rng(0)
    place = np.arange(0, 2400, 60)
    rows, columns = np.repeat(place, len(place)), np.tile(place, len(place))
    result = {}
    for name, patch in (("noise", 1), ("patches", 10)):
        coarse = rng.integers(0, 45, (2400 // patch, 2400 // patch), np.uint8)
        raster: NDArray[np.uint8] = np.kron(coarse, np.ones((patch, patch), np.uint8))

        def peer(raster: NDArray[np.uint8] = raster) -> Any:
            cells = zip(rows.tolist(), columns.tolist(), strict=True)
            return [np.bincount(raster[r : r + 60, c : c + 60].ravel(), minlength=45) for r, c in cells]

        def ours(raster: NDArray[np.uint8] = raster) -> Any:
            return count_values(raster, rows, columns, 60, 60)

        assert (np.array(peer()) == ours()[:, :45]).all()
        result[f"fractions_{name}"] = speedup(ours, peer)
    return result


def country(side: int, folder: Path) -> Path:
    """A GeoPackage of side² parcels of 33 vertices, about 2 ha each, overlapping here and there."""
    rng = np.random.default_rng(1)
    down, along = np.divmod(np.arange(side * side), side)
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    reach = rng.uniform(0.75, 1.05, (side * side, 32))
    x = 300_080 + along[:, None] * 160 + 82 * reach * np.cos(turn)
    y = 5_000_100 + down[:, None] * 130 + 66 * reach * np.sin(turn)
    rings = np.stack([x, y], axis=-1)
    shapes = shapely.polygons(np.concatenate([rings, rings[:, :1]], axis=1))
    frame = GeoDataFrame(
        {"id": np.arange(1, side * side + 1), "ground_truth": rng.integers(1, 12, side * side)},
        geometry=shapes,
        crs=32633,
    )
    frame.to_file(folder / f"{side}.gpkg")
    return folder / f"{side}.gpkg"


def rasterise(path: str, side: int) -> None:
    """Read and rasterise such parcels in this process, and print its peak memory in GiB."""
    from landloom.engine.sources.parcels import read_parcels
    from landloom.products.parcels.rasterise import rasterise_files

    width, height = -(-side * 160 // 60) * 60, -(-side * 130 // 60) * 60
    grid = Grid.of_bounds(32633, (300_000, 5_000_040, 300_000 + width, 5_000_040 + height), 10)
    rasterise_files(read_parcels(path, grid), grid, Path(path).with_suffix(""), force=True)
    print(peak_gib())


def memory_of_a_million() -> dict[str, float]:
    """GiB for a million parcels: along the line through two smaller numbers, or all of them if told so."""
    peaks = {}
    with TemporaryDirectory() as name:
        for side in (1000,) if os.environ.get("LANDLOOM_BENCH_FULL") else (160, 280):
            path = country(side, Path(name))
            code = f"from benchmarks.bench_labels import rasterise; rasterise({str(path)!r}, {side})"
            root = Path(__file__).parents[1]
            shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=root)
            peaks[side * side] = float(shown.stdout)
    (first, low), (last, high) = min(peaks.items()), max(peaks.items())
    slope = 0.0 if first == last else (high - low) / (last - first)
    return {"parcels_million_gib": high + slope * (1_000_000 - last)}


def run() -> dict[str, float]:
    """Bar → measured."""
    return {**claims_against_exactextract(), **fractions_against_bincount(), **memory_of_a_million()}


if __name__ == "__main__":
    for bar, value in run().items():
        print(f"{bar}: {value:.3g}")
