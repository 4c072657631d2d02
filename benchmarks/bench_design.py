"""The draw at the size of Europe: 16 million candidate cells, 39 countries, 44 classes, 500,000 samples.

Candidates and fractions are simulated. By default an eighth of it is run and the bars are scaled up (time in
proportion, memory above the bare interpreter in proportion); `LANDLOOM_BENCH_FULL=1` runs all of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
from benchmarks.memory import peak_gib

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

CELLS = 16_000_000
CLASSES = 44
COUNTRIES = 39
SAMPLES = 500_000


def simulated_fractions(patch: NDArray[np.int64], country: NDArray[np.integer], seed: int) -> csr_array:
    """(cell, class) millionths: patches of one class with an edge of two others, some classes very rare.

    Args:
        patch: (cell,) number of the patch that the cell lies in.
        country: (cell,) index; countries differ in what is frequent.
        seed: decides everything.
    """
    from scipy.sparse import csr_array

    rng = np.random.default_rng(seed)
    frequency = rng.dirichlet(0.6 / (1 + np.arange(CLASSES)), COUNTRIES).cumsum(axis=1)
    where = rng.random(int(patch.max()) + 1)[patch]
    base = np.empty(len(patch), dtype=np.int32)
    for index in range(COUNTRIES):
        own = country == index
        base[own] = np.minimum(np.searchsorted(frequency[index], where[own]), CLASSES - 1)
    kinds = rng.integers(1, 4, len(patch)).astype(np.int32)
    start = np.concatenate([[0], np.cumsum(kinds, dtype=np.int32)])
    indices = np.empty(start[-1], dtype=np.int32)
    data = np.empty(start[-1], dtype=np.uint32)
    cuts = [np.zeros(len(patch), np.uint32), *_cuts(rng, len(patch))]
    for kind in (1, 2, 3):
        rows = np.flatnonzero(kinds == kind)
        classes = np.sort((base[rows, None] + np.arange(kind, dtype=np.int32) * 7) % CLASSES, axis=1)
        edges = np.stack([*(c[rows] for c in cuts[:kind]), np.full(len(rows), 1_000_000, np.uint32)], axis=1)
        for k in range(kind):
            indices[start[rows] + k] = classes[:, k]
            data[start[rows] + k] = edges[:, k + 1] - edges[:, k]
    return csr_array((data, indices, start), shape=(len(patch), CLASSES))


def _cuts(rng: np.random.Generator, count: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    first = rng.integers(1, 500_000, count).astype(np.uint32)
    return first, first + rng.integers(1, 499_000, count).astype(np.uint32)


def _child(scale: float) -> dict[str, float]:
    import shapely
    import shapely.affinity

    from landloom.sampling.allocate import areas, quotas
    from landloom.sampling.draw import draw
    from landloom.sampling.zone_cells import candidate_cells

    base = peak_gib()
    side = 18.4 * scale**0.5
    region = shapely.affinity.scale(shapely.Point(10, 52).buffer(1.0, 64), side, side / 1.4)
    rng = np.random.default_rng(1)
    seeds = shapely.MultiPoint(rng.uniform(-0.9, 0.9, (COUNTRIES, 2)) * (side, side / 1.4) + (10, 52))
    shapes = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=region))
    countries = [(f"country {i}", shape) for i, shape in enumerate(shapes)]
    start = time.perf_counter()
    cells = candidate_cells(region, countries)
    found = time.perf_counter() - start
    patch = cells.tile_index().astype(np.int64) * 64 + (cells.row - 1) // 5 * 8 + (cells.column - 1) // 5
    cells = cells.with_fractions(simulated_fractions(patch, cells.country, 1))
    del patch
    total = round(SAMPLES * scale)
    start = time.perf_counter()
    result = draw(cells, total, quotas(areas(region, countries), total), seed=1)
    drawn = time.perf_counter() - start
    peak = peak_gib()
    return {
        "cells": len(cells),
        "samples": len(result.indices),
        "divergence": result.divergence,
        "missing": len(result.missing),
        "candidates_s": found,
        "draw_s": drawn,
        "base_gib": base,
        "peak_gib": peak,
    }


def granule_minutes() -> float:
    """Minutes of choosing 300 of 20,430 granules, with 100 random draws in each continent to measure against."""
    from landloom.model.granules import world_granules
    from landloom.sampling.granules import PUBLISHED, GranuleTable, draw_granules

    rng = np.random.default_rng(1)
    every = world_granules()
    ids = [every[i] for i in np.sort(rng.choice(len(every), 20_430, replace=False))]
    shares = np.concatenate([rng.dirichlet(np.full(15, 0.3), len(ids)), np.zeros((len(ids), 2))], axis=1)
    continent = rng.choice(list(PUBLISHED), len(ids)).tolist()
    table = GranuleTable.of_rows(ids, continent, rng.uniform([-180, -60], [180, 80], (len(ids), 2)), shares)
    start = time.perf_counter()
    draw_granules(table, PUBLISHED, 1)
    return (time.perf_counter() - start) / 60


def run() -> dict[str, float]:
    """Minutes and peak memory of candidates and draw, for 16 million cells; minutes of a draw of granules."""
    scale = 1.0 if os.environ.get("LANDLOOM_BENCH_FULL") else 1 / 8
    text = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_design", str(scale)], check=True, capture_output=True, text=True
    ).stdout  # a process of its own: peak memory never goes down
    result = json.loads(text)
    up = CELLS / result["cells"]
    print(f"draw: {result}, scaled by {up:.2f}")
    return {
        "draw_16m_minutes": (result["candidates_s"] + result["draw_s"]) / 60 * up,
        "granules_20430_minutes": granule_minutes(),
        "draw_16m_gib": result["base_gib"] + (result["peak_gib"] - result["base_gib"]) * up,
    }


if __name__ == "__main__":
    print(json.dumps(_child(float(sys.argv[1]))) if len(sys.argv) > 1 else run())
