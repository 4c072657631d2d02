"""Text of another encoding than UTF-8, in every command and section of a recipe that reads a vector file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.cases.test_shapes import recipe

from landloom.engine.project import Project
from landloom.engine.recipe_region import region_of, strata_of
from landloom.engine.sources.check import check_source
from landloom.errors import InvalidInputError, LandloomError
from landloom.model.ids import GranuleId
from landloom.model.recipe import LabelSource, VectorSource
from landloom.pipelines.registry import Recipe
from landloom.query.region import country_region, resolve_region
from landloom.samplers.granules.features import assigned
from landloom.store.vector import Told, read_vector, vector_extent, vector_name

if TYPE_CHECKING:
    from pathlib import Path

TEXT = 'Größe,id,crs,wkt\n{value},311,4326,"POLYGON ((14 46, 16 46, 16 48, 14 48, 14 46))"\n'


def _file(folder: Path, encoding: str, value: str = "Österreich") -> str:
    path = folder / "p.csv"
    path.write_bytes(TEXT.format(value=value).encode(encoding))
    return str(path)


@pytest.mark.parametrize("encoding", ["cp1252", "mac-roman", "cp850"])
def test_every_reader_takes_an_encoding(encoding: str, tmp_path: Path) -> None:
    path, told = _file(tmp_path, encoding), Told(encoding=encoding)
    named = f"{path}|encoding={encoding}"
    assert read_vector(path, told=told)["Größe"].tolist() == ["Österreich"]
    assert read_vector(named)["Größe"].tolist() == ["Österreich"]
    assert vector_extent(path, told=told) == (14, 46, 16, 48)
    assert resolve_region(named).shape.bounds == (14, 46, 16, 48)
    assert country_region("österreich", named).shape.bounds == (14, 46, 16, 48)
    assert resolve_region("Österreich", named).shape.bounds == (14, 46, 16, 48)
    source = LabelSource(taxonomy="clc", file=path, column="id", encoding=encoding)
    assert check_source(path, source) == []
    section = {"file": "p.csv", "encoding": encoding}
    project = Project.open(recipe(tmp_path, section), Recipe)
    assert region_of(project).bounds == (14, 46, 16, 48)
    strata = VectorSource(file="p.csv", column="Größe", encoding=encoding)
    assert [name for name, _ in strata_of(project, strata, region_of(project))] == ["Österreich"]


def test_continents_take_an_encoding(tmp_path: Path) -> None:
    granules = [GranuleId.parse("33TVM")]
    plain = assigned(granules, _file(tmp_path, "utf-8", "Europe"), "Größe")
    path = _file(tmp_path, "cp1252", "Europe")
    assert assigned(granules, f"{path}|encoding=cp1252", "Größe") == plain
    (tmp_path / "t.csv").write_bytes("id,Größe\n33TVM,Europe\n".encode("cp1252"))
    assert assigned(granules, f"{tmp_path}/t.csv|encoding=cp1252", "Größe") == ["Europe"]


def test_what_is_not_said_is_asked_for(tmp_path: Path) -> None:
    path = _file(tmp_path, "cp1252")
    for read in (read_vector, resolve_region, vector_extent):
        with pytest.raises(LandloomError, match="cp1252"):
            read(path)


def test_a_name_says_layer_and_encoding_once() -> None:
    own = vector_name("https://example.org/p.csv?a=1|encoding=cp1252")
    assert (own.file, own.layer, own.encoding) == ("https://example.org/p.csv?a=1", None, "cp1252")
    both = vector_name("p.zip|layername=one|encoding=cp1252", "one", "cp1252")
    assert (both.file, both.layer, both.encoding) == ("p.zip", "one", "cp1252")
    with pytest.raises(InvalidInputError, match="encodings 'a' and 'b'"):
        vector_name("p.csv|encoding=a", encoding="b")
    with pytest.raises(InvalidInputError, match="layers 'a' and 'b'"):
        vector_name("p.gpkg|a", "b")
