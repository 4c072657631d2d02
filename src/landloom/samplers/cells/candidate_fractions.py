"""Class fractions of all candidate cells of a region, computed tile by tile in separate units."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.engine.context import run_stage
from landloom.engine.sources.cell_fractions import CellsTask, TileCells, read_millionths, source_settings
from landloom.engine.sources.unlabelled import require_labels, unlabelled
from landloom.engine.units import Unit, unit_digest
from landloom.errors import BuildError, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scipy.sparse import csr_array

    from landloom.engine.context import BuildContext
    from landloom.model.grid import Bounds
    from landloom.model.recipe import LabelSource
    from landloom.sampling.candidates import Candidates

FOLDER: Final = ".landloom/candidates"
"""Key prefix of the stored tables."""


def candidate_fractions(
    name: str, path: str, source: LabelSource, candidates: Candidates, bounds: Bounds, context: BuildContext
) -> csr_array:
    """(candidate, class) millionths, in the order of the candidates.

    Args:
        name: of the labels in the recipe.
        path: of the label file.
        source: its section in the recipe.
        candidates: cells of the region.
        bounds: of the region, in WGS84.
        context: of the build; its store keeps the tables.

    Raises:
        BuildError: the labels of some tiles could not be computed.
        InvalidInputError: no candidate has a label.
    """
    from scipy.sparse import csr_array, vstack

    units = _units(name, path, source, tile_cells(candidates), context)
    problems = run_stage(f"labels of {counted(len(candidates), 'cell')}", units, context)
    if problems:
        raise BuildError(problems)
    entries = [context.journal.get(unit.id) for unit in units]
    missing = unlabelled(entry.outcome for entry in entries if entry is not None)
    require_labels(path, source, missing, len(candidates), bounds)
    tables = (read_millionths(context.store, _key(name, unit.tile)) for unit in units)
    return csr_array(vstack([csr_array(table.astype(np.uint32)) for table in tables]))


def _key(name: str, tile: str) -> str:
    return f"{FOLDER}/{name}/{tile}.npy"


def _units(
    name: str, path: str, source: LabelSource, tiles: Mapping[str, TileCells], context: BuildContext
) -> list[Unit]:
    units = []
    for tile, cells in tiles.items():
        task = CellsTask(store=context.uri, key=_key(name, tile), path=path, source=source, cells=cells)
        decides = unit_digest(context.identity(path), source_settings(source), cells.identity())
        units.append(
            Unit(
                kind="candidates",
                product=f"candidates.{name}",
                tile=tile,
                key=decides,
                memory=256 * 2**20,
                task=task,
            )
        )
    return units


def tile_cells(candidates: Candidates) -> dict[str, TileCells]:
    """The candidates of each tile, in id order."""
    starts = np.flatnonzero(np.diff(candidates.tile_key(), prepend=-1))
    tiles = {}
    for first, end in pairwise([*starts.tolist(), len(candidates)]):
        tile = next(candidates.ids([first])).tile
        part = slice(first, end)
        rows, columns = candidates.row[part].astype(np.uint8), candidates.column[part].astype(np.uint8)
        tiles[str(tile)] = TileCells(tile=tile, rows=rows.tobytes(), columns=columns.tobytes())
    return tiles
