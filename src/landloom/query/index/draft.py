"""From columns of samples to the arrays of a sidecar: the part shared by both kinds of source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.documents import corpus_json
from landloom.errors import InvalidIdentityError, InvalidInputError
from landloom.model.ids import CELL_SIZE, CELLS_PER_TILE, TILE_SIZE
from landloom.query.index.corners import TOLERANCE, corners
from landloom.query.index.packing import PackedColumns
from landloom.query.index.sidecar import Sidecar
from landloom.query.index.sidecar_meta import SidecarMeta

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from landloom.corpus.info import CorpusInfo
    from landloom.query.index.sidecar_meta import SourceState

BEND: Final = 2e-3
"""Maximum deviation in degrees of a tile from bilinear interpolation between its corners; twice the value at 84°."""
_BLOCK: Final = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """All inputs of a sidecar; rows in index order."""

    info: CorpusInfo
    """The corpus, as described by its documents."""
    columns: Sequence[str]
    """Label columns."""
    groups: Mapping[str, Sequence[str]]
    """Coarser label columns → the columns that they sum."""
    tiles: Sequence[str]
    """Names of tiles with their zone: `33N_16E-243N`."""
    tile: NDArray[np.int32]
    """(row,) index of the row's tile in `tiles`."""
    epsg: NDArray[np.int32]
    """(row,) CRS of the row's square."""
    ids: NDArray[np.bytes_]
    """(row,) sample ids, ASCII."""
    bounds: NDArray[np.float64] | None = None
    """(row, 4) west, south, east, north; None if ids determine them (`utm24`)."""
    labels: Sequence[tuple[NDArray[np.integer], NDArray[np.integer]]]
    """For each label column ascending rows and their millionths."""
    words: Mapping[str, tuple[NDArray[np.integer], list[str]]]
    """`stratum` and `split`: (row,) 0 for null or 1 + index in the vocabulary, and the vocabulary."""
    patterns: Mapping[str, tuple[NDArray[np.integer], NDArray[np.uint8]]]
    """Product → (row,) index of the pattern, and (pattern, byte) bitmaps over its timesteps."""
    outlines: NDArray[np.float64] | None = None
    """(row, 4, 2) published vertices, NaN for outlines without four; None if nothing was published."""
    strange: Mapping[int, bytes] = field(default_factory=dict)
    """Row → WKB of outlines without four vertices."""


def _smallest(codes: NDArray[np.integer], count: int) -> NDArray[np.integer]:
    return codes.astype(np.min_scalar_type(max(count, 1)))


def cells_of(ids: NDArray[np.bytes_], prefixes: NDArray[np.bytes_]) -> NDArray[np.uint16]:
    """Cell number, (row − 1)·40 + column − 1, of `utm24` ids.

    Raises:
        InvalidIdentityError: an invalid id, or one not in its tile; the first is named.

    Example:
        >>> cells_of(np.array([b"33N_16E-243N_29_01"]), np.array([b"33N_16E-243N_"])).tolist()
        [1120]
    """
    if ids.dtype.itemsize != 18:
        raise InvalidIdentityError.of(str(ids[:1]), expected="ids such as 33N_16E-243N_29_01")
    text = ids.view(np.uint8).reshape(-1, 18)
    digits = text[:, [13, 14, 16, 17]].astype(np.int64) - ord("0")
    row, column = digits[:, 0] * 10 + digits[:, 1], digits[:, 2] * 10 + digits[:, 3]
    good = (digits >= 0).all(axis=1) & (digits <= 9).all(axis=1) & (text[:, 15] == ord("_"))
    good &= (row >= 1) & (row <= CELLS_PER_TILE) & (column >= 1) & (column <= CELLS_PER_TILE)
    good &= (text[:, :13] == np.ascontiguousarray(prefixes).view(np.uint8).reshape(-1, 13)).all(axis=1)
    if not good.all():
        wrong = ids[np.argmin(good)].decode()
        raise InvalidIdentityError.of(expected="a sample of its tile such as 33N_16E-243N_29_01", got=wrong)
    return ((row - 1) * CELLS_PER_TILE + column - 1).astype(np.uint16)


def _identities(draft: Draft, first: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    names = [draft.tiles[code] for code in draft.tile[first].tolist()]
    parts = [name.split("_", 1) for name in names]
    result: dict[str, NDArray[Any]] = {"run_directory": np.array([f"{zone}/{tile}".encode() for zone, tile in parts])}
    if draft.info.scheme == "utm24":
        result["run_prefix"] = np.array([f"{name}_".encode() for name in names])
        result["run_tile"] = np.array([(int(tile[:2]), int(tile[4:7])) for _, tile in parts], dtype=np.int64)
        lengths = np.diff(np.append(first, len(draft.tile)))
        result["cell"] = cells_of(draft.ids, np.repeat(result["run_prefix"], lengths))
        return result
    result["run_prefix"] = np.array([f"{tile}_".encode() for _, tile in parts])
    lengths = np.diff(np.append(first, len(draft.tile)))
    expected = np.repeat(result["run_prefix"], lengths)
    good = np.char.startswith(draft.ids, expected)
    if not good.all():
        raise InvalidIdentityError.of(draft.ids[np.argmin(good)].decode(), expected="a sample of its tile")
    result["suffix"] = np.array(
        [text[len(prefix) :] for text, prefix in zip(draft.ids.tolist(), expected.tolist(), strict=True)]
    )
    result["bounds"] = draft.bounds if draft.bounds is not None else np.empty((0, 4))
    return result


def _squares(draft: Draft, arrays: Mapping[str, NDArray[Any]], run: NDArray[np.int64]) -> NDArray[np.float64]:
    if draft.info.scheme != "utm24":
        return arrays["bounds"]
    east, north = arrays["run_tile"][run].T
    row, column = np.divmod(arrays["cell"].astype(np.int64), CELLS_PER_TILE)
    west, top = east * TILE_SIZE + column * CELL_SIZE, (north + 1) * TILE_SIZE - row * CELL_SIZE
    return np.column_stack([west, top - CELL_SIZE, west + CELL_SIZE, top]).astype(np.float64)


def _ordered(vertices: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vertices of each outline counter-clockwise around its centre, from the south-east one."""
    middle = vertices.mean(axis=1, keepdims=True)
    angle = np.arctan2(vertices[..., 1] - middle[..., 1], vertices[..., 0] - middle[..., 0])
    order = np.argsort((angle + np.pi / 2) % (2 * np.pi), axis=1)
    return np.take_along_axis(vertices, order[..., None], axis=1)


def _decimals(outlines: NDArray[np.float64]) -> int | None:
    sample = outlines[np.isfinite(outlines).all(axis=(1, 2))][:1000]
    return next((n for n in (5, 6, 7, 8) if len(sample) and (np.round(sample, n) == sample).all()), None)


def _odd(outlines: NDArray[np.float64], derived: NDArray[np.float64], decimals: int | None) -> NDArray[np.bool_]:
    """Published outlines that differ from the computed ones; order and direction of vertices are ignored."""
    given, ours = _ordered(outlines), _ordered(derived)
    tolerance = TOLERANCE if decimals is None else 0.0
    same: NDArray[np.bool_] = np.asarray((np.abs(given - ours) <= tolerance).all(axis=(1, 2)))
    return ~same


def _split(outline: BaseGeometry) -> bytes:
    """WKB of an outline, split at 180°."""
    from landloom.model.antimeridian import split_shape

    text: bytes = split_shape(outline).wkb
    return text


def _footprints(
    draft: Draft, squares: NDArray[np.float64], first: NDArray[np.int64]
) -> tuple[dict[str, NDArray[Any]], int | None]:
    import shapely

    decimals = None if draft.outlines is None else _decimals(draft.outlines)
    extent = np.empty((len(squares), 4))
    odd = {row: _split(shapely.from_wkb(text)) for row, text in draft.strange.items()}
    for start in range(0, len(squares), _BLOCK):
        own = slice(start, start + _BLOCK)
        derived = corners(draft.epsg[own], squares[own], decimals)
        extent[own] = np.concatenate([derived.min(axis=1), derived.max(axis=1)], axis=1)
        for row in np.flatnonzero(extent[own, 2] > 180).tolist():
            odd.setdefault(start + row, _split(shapely.Polygon(derived[row])))
        if draft.outlines is None:
            continue
        published = draft.outlines[own]
        for row in np.flatnonzero(_odd(published, derived, decimals)).tolist():
            if start + row not in odd:
                odd[start + row] = _split(shapely.Polygon(published[row]))
    rows = sorted(odd)
    for row in rows:
        extent[row] = shapely.from_wkb(odd[row]).bounds
    low = np.minimum.reduceat(extent[:, :2], first, axis=0)
    high = np.maximum.reduceat(extent[:, 2:], first, axis=0)
    pieces = [odd[row] for row in rows]
    return {
        "run_bounds": np.concatenate([low, high], axis=1),
        "odd_rows": np.array(rows, dtype=np.int32),
        "odd_starts": np.concatenate([[0], np.cumsum([len(piece) for piece in pieces])]).astype(np.int64),
        "odd_wkb": np.frombuffer(b"".join(pieces), dtype=np.uint8),
    }, decimals


def _interpolation(arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
    """(run, 10) longitude and latitude of a position in a tile, a + b·u + c·v + d·u·v each; and the reach of a cell.

    u runs from 0 at the tile's west edge to 1 at its east edge, v from its north edge to its south edge.
    """
    corner = arrays["run_tile"].astype(np.float64) * TILE_SIZE
    tile = corners(arrays["run_epsg"], np.concatenate([corner, corner + TILE_SIZE], axis=1))
    south_east, north_east, north_west, south_west = tile.transpose(1, 0, 2)
    twist = south_east - north_east + north_west - south_west
    reach = (tile.max(axis=1) - tile.min(axis=1)) / CELLS_PER_TILE * 0.55 + BEND
    return np.concatenate([north_west, north_east - north_west, south_west - north_west, twist, reach], axis=1)


def finish(draft: Draft, source: SourceState | None = None) -> Sidecar:
    """The sidecar of a draft.

    Args:
        draft: all its inputs.
        source: the files that the draft was read from.

    Raises:
        InvalidInputError: no samples, or labels that are not millionths.
        InvalidIdentityError: an id that does not belong to its scheme or tile.
    """
    if not len(draft.tile):
        raise InvalidInputError("got an index without samples")
    change = (np.diff(draft.tile) != 0) | (np.diff(draft.epsg) != 0)
    first = np.concatenate([[0], np.flatnonzero(change) + 1])
    starts = np.append(first, len(draft.tile))
    run = np.repeat(np.arange(len(first)), np.diff(starts))
    arrays: dict[str, NDArray[Any]] = {"run_starts": starts.astype(np.int32), "run_epsg": draft.epsg[first]}
    arrays |= _identities(draft, first)
    footprints, decimals = _footprints(draft, _squares(draft, arrays, run), first)
    arrays |= footprints
    packed = PackedColumns.of(draft.labels)
    arrays |= {"label_blob": packed.blob, "label_starts": packed.starts, "label_counts": packed.counts}
    if draft.info.scheme == "utm24":
        arrays["run_middle"] = _interpolation(arrays)
    arrays |= {name: _smallest(codes, len(words)) for name, (codes, words) in draft.words.items()}
    for product, (numbers, patterns) in draft.patterns.items():
        arrays[f"patterns_{product}"] = patterns
        if len(patterns) > 1:
            arrays[f"pattern_{product}"] = _smallest(numbers, len(patterns))
    return Sidecar(arrays=arrays, meta=_meta(draft, decimals, source))


def _meta(draft: Draft, decimals: int | None, source: SourceState | None) -> SidecarMeta:
    return SidecarMeta(
        corpus=corpus_json(replace(draft.info, recipe={})).decode(),
        scheme=draft.info.scheme,
        tile_size=TILE_SIZE,
        cell_size=CELL_SIZE,
        cells=CELLS_PER_TILE,
        columns=tuple(draft.columns),
        groups={name: tuple(members) for name, members in draft.groups.items()},
        decimals=decimals,
        vocabularies={name: tuple(words) for name, (_, words) in draft.words.items()},
        source=source,
    )
