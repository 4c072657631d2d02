"""A synthetic corpus with the published size and layout, for tests and benchmarks of queries and downloads."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.model.apportion import MILLION
from landloom.model.ids import CELL_SIZE, CELLS_PER_TILE, TILE_SIZE, Zone
from landloom.model.taxonomy import taxonomy
from landloom.query.index.corners import corners
from landloom.query.index.resource_files import ResourceFiles

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_WEST, _EAST, _SOUTH, _NORTH = -10.0, 40.0, 36.0, 70.0
_HOME: Final = (32633, 16, 243)
"""The tile of the published examples, always included."""
_COMMON: Final = ("211", "231", "312", "311", "313", "324", "243", "242", "112", "322", "512")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSamples:
    """Columns of a synthetic corpus, in an order unrelated to position."""

    ids: list[str]
    """Sample ids."""
    outlines: NDArray[np.float64]
    """(n, 4, 2) corners in WGS84, five decimals."""
    shares: NDArray[np.int32]
    """(n, class) millionths in the order of the CORINE codes."""


def _tiles(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(count, 3) EPSG, east, north of distinct tiles in Europe."""
    from landloom.model.grid import WGS84, transformer

    found = {_HOME: None}
    while len(found) < count:
        longitude, latitude = rng.uniform(_WEST, _EAST), rng.uniform(_SOUTH, _NORTH)
        epsg = Zone.of(longitude, latitude).epsg
        x, y = transformer(WGS84, epsg).transform(longitude, latitude)
        found[(epsg, int(x // TILE_SIZE), int(y // TILE_SIZE))] = None
    return np.array(list(found))


def _shares(count: int, rng: np.random.Generator) -> NDArray[np.int32]:
    codes = taxonomy("clc").codes()
    weights = np.full(len(codes), 0.2)
    for rank, code in enumerate(_COMMON):
        weights[codes.index(code)] = 12.0 / (1 + 0.4 * rank)
    weights[codes.index("412")] = 0.55
    weights[-1] = 0.01
    chances = np.log(weights / weights.sum())
    kinds = rng.choice([1, 2, 3, 4, 5, 6], size=count, p=[0.36, 0.24, 0.18, 0.12, 0.06, 0.04])
    # Gumbel's trick draws without replacement, by weight, for all rows at once
    order = np.argsort(-(chances + rng.gumbel(size=(count, len(codes)))), axis=1)[:, :6]
    result = np.zeros((count, len(codes)), dtype=np.int32)
    cuts = np.sort(rng.integers(1, MILLION, size=(count, 5)), axis=1)
    cuts[np.arange(5)[None] >= kinds[:, None] - 1] = MILLION
    pieces = np.diff(np.sort(cuts, axis=1), axis=1, prepend=0, append=MILLION)
    np.put_along_axis(result, order, pieces.astype(np.int32), axis=1)
    return result


def synthetic_samples(samples: int = 500_000, tiles: int = 1_402, seed: int = 0) -> SyntheticSamples:
    """Create synthetic samples.

    Args:
        samples: number of samples; at most 1,600 per tile.
        tiles: number of 24 km tiles.
        seed: seed of all random choices.

    Example:
        >>> made = synthetic_samples(50, 3)
        >>> made.ids[0][:3] in {"29N", "30N", "31N", "32N", "33N", "34N", "35N", "36N", "37N"}, len(set(made.ids))
        (True, 50)
        >>> set(made.shares.sum(axis=1).tolist())
        {1000000}
    """
    rng = np.random.default_rng(seed)
    squares = _tiles(tiles, rng)
    own = np.sort(rng.choice(tiles * CELLS_PER_TILE**2, size=samples, replace=False))
    rng.shuffle(own)
    tile, cell = np.divmod(own, CELLS_PER_TILE**2)
    row, column = np.divmod(cell, CELLS_PER_TILE)
    epsg, east, north = squares[tile].T
    west, top = east * TILE_SIZE + column * CELL_SIZE, (north + 1) * TILE_SIZE - row * CELL_SIZE
    bounds = np.column_stack([west, top - CELL_SIZE, west + CELL_SIZE, top]).astype(np.float64)
    names = [f"{code - 32600:02d}N_{e:02d}E-{n:03d}N" for code, e, n in squares.tolist()]
    ids = [
        f"{names[t]}_{r + 1:02d}_{c + 1:02d}"
        for t, r, c in zip(tile.tolist(), row.tolist(), column.tolist(), strict=True)
    ]
    outlines = corners(epsg.astype(np.int32), bounds, 5)
    shares = np.concatenate([_shares(len(part), rng) for part in np.array_split(own, max(samples // 50_000, 1))])
    return SyntheticSamples(ids=ids, outlines=outlines, shares=shares)


def write_resources(made: SyntheticSamples, folder: Path, name: str = "rapidai4eo") -> ResourceFiles:
    """Write the three published resource files.

    Args:
        made: the samples.
        folder: target folder; created if missing.
        name: prefix of their names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = ResourceFiles.in_folder(folder, name)
    clc = taxonomy("clc")
    with gzip.open(files.geometries, "wt", compresslevel=3, encoding="ascii") as file:
        file.write('{"type": "FeatureCollection", "features": [\n')
        for number, (identity, outline) in enumerate(zip(made.ids, made.outlines.tolist(), strict=True)):
            ring = [*outline, outline[0]]
            file.write(",\n" if number else "")
            file.write(
                f'{{"type": "Feature", "properties": {{"sample_id": "{identity}"}}, '
                f'"geometry": {{"type": "Polygon", "coordinates": [{ring}]}}}}'
            )
        file.write("\n]}\n")
    with gzip.open(files.labels, "wt", compresslevel=3, encoding="ascii") as file:
        file.write(",".join(["sample_id", *clc.columns()]) + "\n")
        words = {0: "0.0", MILLION: "1.0"}
        for identity, shares in zip(reversed(made.ids), made.shares[::-1].tolist(), strict=True):
            values = [words.get(share) or f"0.{share:06d}" for share in shares]
            file.write(f"{identity},{','.join(values)}\n")
    with files.mapping.open("w", encoding="ascii") as file:
        file.write("index,clc_level1_id,clc_level2_id,clc_level3_id,class_name\n")
        for item in clc.classes:
            file.write(f'{clc.column(item.code)},{",".join(item.parents)},{item.code},"{item.name}"\n')
    return files
