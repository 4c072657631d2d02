"""Checking whole label sources once, before anything is made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.engine.sources.cell_fractions import is_raster, source_settings
from landloom.engine.units import unit_digest
from landloom.errors import InvalidInputError, Problem
from landloom.labels.polygons import geometry_problems, read_codes, refuse
from landloom.model.taxonomy import taxonomy
from landloom.store.raster import open_raster
from landloom.store.vector import UNREAD, Told, read_blocks, row_names

if TYPE_CHECKING:
    from landloom.engine.context import BuildContext
    from landloom.model.recipe import LabelSource

CHECKED: Final = "checked"
"""Kind of the journal's notes about checked sources."""


def check_once(name: str, path: str, source: LabelSource, context: BuildContext) -> None:
    """Check a label source once for every version of the file; the journal keeps the result.

    This finds errors that windowed reads would miss: far from every sample, or in rows without geometry.

    Raises:
        InvalidInputError: as in `check_source`.
    """
    decides = unit_digest(context.identity(path), source_settings(source))
    if context.journal.notes(CHECKED).get(name) != decides:
        check_source(path, source)
        context.journal.keep(CHECKED, name, decides)


def check_source(path: str, source: LabelSource) -> list[Problem]:
    """Read a whole vector source in pieces; rasters are checked only where samples lie.

    Args:
        path: of the source.
        source: its section of the recipe.

    Returns:
        Rows with bad geometries, unless these are an error.

    Raises:
        InvalidInputError: no CRS, codes outside the taxonomy, or bad geometries; the message names the rows.
        NotFoundError: no such layer or column.
        MissingKeyError: no such file.
    """
    if is_raster(path):
        with open_raster(path):
            return []
    scheme = taxonomy(source.taxonomy)
    if source.column is None:
        raise InvalidInputError(f"{path}: got no column, expected the column of the code: --column")
    shapes: list[Problem] = []
    codes: list[Problem] = []
    for frame in read_blocks(path, layer=source.layer, columns=[source.column], told=Told(encoding=source.encoding)):
        names = row_names(frame)
        unread = {frame.index.get_loc(label): why for label, why in frame.attrs[UNREAD].items()}
        found = geometry_problems(frame.geometry.to_numpy()) | unread
        shapes += [Problem(where=names[row], what=what) for row, what in sorted(found.items())]
        codes += read_codes(frame[source.column].to_numpy(), scheme, names)[1]
    refuse([*codes, *(shapes if source.invalid == "error" else ())], path)
    return shapes
