"""Sources of labels, read through once before anything is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from landloom.engine.sources.cells import RASTERS, file_identity
from landloom.engine.units import digest
from landloom.errors import InvalidInputError, Problem
from landloom.labels.polygons import geometry_problems, read_codes, refuse
from landloom.model.taxonomy import taxonomy
from landloom.store.vector import layers_with_geometry, read_vector, row_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geopandas import GeoDataFrame

    from landloom.engine.journal import Journal
    from landloom.engine.project import Project
    from landloom.model.recipe import LabelSection

CHECKED: Final = "checked"
"""Kind of the journal's notes about sources that were read through."""
CHUNK: Final = 50_000
"""Features that are checked at a time."""
_WHOLE: Final = (".csv", ".csv.gz", ".parquet", ".geoparquet", ".pq")
"""Formats that are read at once anyway."""


def check_labels(project: Project, journal: Journal) -> None:
    """Check the sources of a recipe's labels, each once for as long as it is the same file.

    What is wrong far from every sample, or has no geometry at all, no window that is read of it would show.

    Raises:
        InvalidInputError: as `check_source`.
    """
    known = journal.notes(CHECKED)
    for name, section in project.recipe.labels.items():
        file = project.path(section.file)
        decides = digest(file_identity(file), section.model_dump(mode="json", exclude={"terms", "allow_empty"}))
        if known.get(name) != decides:
            check_source(file, section)
            journal.keep(CHECKED, name, decides)


def check_source(file: str, section: LabelSection) -> list[Problem]:
    """Read a vector source through once, in pieces; rasters are checked where samples lie.

    Args:
        file: where it is.
        section: what it is, as a recipe says it.

    Returns:
        Rows with bad geometries, where they are no error.

    Raises:
        InvalidInputError: no CRS, codes outside the taxonomy, or bad geometries; rows are named.
        NotFoundError: no such layer or column.
        MissingKeyError: no such file.
    """
    if Path(file).suffix.lower() in RASTERS:
        file_identity(file)
        return []
    scheme = taxonomy(section.taxonomy)
    if section.column is None:
        raise InvalidInputError(f"{file}: got no column, wanted the column that holds the code: --column")
    shapes: list[Problem] = []
    codes: list[Problem] = []
    for frame in _pieces(file, section):
        names = row_names(frame)
        found = geometry_problems(frame.geometry.to_numpy())
        shapes += [Problem(where=names[row], what=what) for row, what in sorted(found.items())]
        codes += read_codes(frame[section.column].to_numpy(), scheme, names)[1]
    refuse([*codes, *(shapes if section.invalid == "error" else ())], file)
    return shapes


def _pieces(file: str, section: LabelSection) -> Iterator[GeoDataFrame]:
    """Rows by their names, piece by piece."""
    import pyogrio

    columns = [str(section.column)]
    if file.lower().endswith(_WHOLE):
        yield read_vector(file, layer=section.layer, columns=columns, numbered=True)
        return
    nowhere = (0.0, 0.0, 0.0, 0.0)  # reads nothing, and refuses what is wrong with layer, column and CRS
    read_vector(file, layer=section.layer, columns=columns, bbox=nowhere)
    layer = section.layer or layers_with_geometry(file)[0]
    first, count = 0, CHUNK
    while count == CHUNK:
        frame = pyogrio.read_dataframe(
            file, layer=layer, columns=columns, skip_features=first, max_features=CHUNK, fid_as_index=True
        )
        yield frame
        count = len(frame)
        first += count
