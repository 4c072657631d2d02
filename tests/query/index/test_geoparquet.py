"""The interchange index read into a draft: every column as it was written, and foreign files by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from landloom.errors import CorpusError
from landloom.model.taxonomy import taxonomy
from landloom.query.index.geoparquet import label_groups, read_index, vertices_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.query.conftest import Truth


def test_a_draft_holds_what_the_index_holds(own: Truth) -> None:
    draft = read_index(own.folder / "index" / "samples.parquet")
    assert draft.ids.astype(str).tolist() == own.ids
    assert draft.info.name == "own"
    assert [draft.tiles[place] for place in draft.tile.tolist()] == [identity[:12] for identity in own.ids]
    dense = np.zeros_like(own.shares)
    for place, (rows, values) in enumerate(draft.labels):
        dense[rows, place] = values
    assert (dense == own.shares).all()
    for name, wanted in (("stratum", own.stratum), ("split", own.split)):
        codes, texts = draft.words[name]
        known: list[str | None] = [None, *texts] if len(texts) == len({*wanted} - {None}) else list(texts)
        assert [known[code] for code in codes.tolist()] == wanted
    codes, bitmaps = draft.patterns["s2"]
    bits = np.unpackbits(bitmaps[codes], axis=1, bitorder="little")[:, :12].astype(bool)
    assert (bits == own.exists["s2"]).all()


def test_outlines_that_are_no_squares_are_kept_whole() -> None:
    holed = shapely.box(0, 0, 4, 4).difference(shapely.box(1, 1, 2, 2))
    square = shapely.box(0, 0, 1, 1)
    shapes = [square, holed, shapely.MultiPolygon([shapely.box(0, 0, 1, 1)])]
    wkb = np.array([shape.wkb for shape in shapes], object)
    vertices, strange = vertices_of(wkb)
    assert vertices[0].tolist() == [list(point) for point in square.exterior.coords[:4]]
    assert np.isnan(vertices[1:]).all()
    assert strange == {1: shapes[1].wkb, 2: shapes[2].wkb}


@given(st.sets(st.sampled_from(taxonomy("clc").codes()), max_size=10))
def test_each_finest_column_is_in_one_group_of_each_level(codes: set[str]) -> None:
    clc = taxonomy("clc")
    columns = [clc.column(code) for code in clc.codes() if code in codes]
    groups = label_groups(clc, columns, "x_") if not columns else label_groups(clc, columns)
    if not columns:
        assert all(not members for members in groups.values())
        return
    for level in (1, 2):
        names = [clc.column(code) for code in clc.codes(level)]
        members = [column for name in names for column in groups.get(name, [])]
        assert sorted(members) == columns
        assert all(column.startswith(name) for name in names for column in groups.get(name, []))


def test_foreign_files_are_named(own: Truth, granules: Truth, tmp_path: Path) -> None:
    path = tmp_path / "samples.parquet"
    path.write_bytes(b"no Parquet")
    with pytest.raises(CorpusError, match="cannot be read"):
        read_index(path)
    pq.write_table(pa.table({"id": ["a"]}), path)
    with pytest.raises(CorpusError, match="without `landloom` metadata"):
        read_index(path)
    table = pq.read_table(own.folder / "index" / "samples.parquet")
    pq.write_table(table.slice(0, 0), path)
    with pytest.raises(CorpusError, match="without samples"):
        read_index(path)
    assert read_index(granules.folder / "index" / "samples.parquet").bounds is not None
