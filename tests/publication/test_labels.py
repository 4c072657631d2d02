"""Labels added to a corpus: what a build with them in its recipe would have made, and not a byte of imagery touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import yaml
from tests.projects import digest_of

from landloom.corpus.audit.validate import audit
from landloom.corpus.documents import parse_corpus_json
from landloom.engine.executors import processes
from landloom.errors import CorpusError, InvalidInputError, InvalidValueError, LandloomError, NotFoundError
from landloom.model.recipe import Terms
from landloom.pipelines.build import build
from landloom.publication.labels import AddedLabels, add_labels
from landloom.query.corpus import Corpus
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable

TERMS = Terms(licence="CC-BY-4.0", attribution="The label makers", source="https://example.org/labels")


@pytest.fixture
def corpus(tiny_corpus: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    shutil.copytree(tiny_corpus, tmp_path / "corpus")
    return tmp_path / "corpus"


@pytest.fixture(scope="module")
def cover(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The land cover of the tiny world as a raster of LandCoverNet's classes."""
    path = tmp_path_factory.mktemp("labels") / "cover.tif"
    with rasterio.open(tiny / "archive" / "landcover_3035.tif") as file:
        classes, profile = file.read(1), file.profile
    kinds = np.select([classes == 0, classes < 200, classes < 300, classes < 400, classes < 500], [0, 2, 6, 5, 7], 1)
    with rasterio.open(path, "w", **(profile | {"dtype": "uint8", "nodata": 0})) as file:
        file.write(kinds.astype(np.uint8), 1)
    return path


def source(file: Path, name: str = "cover", **changes: Any) -> AddedLabels:
    given: dict[str, Any] = {"taxonomy": "landcovernet", "terms": TERMS} | changes
    return AddedLabels(file=str(file), name=name, **given)


def contents(folder: Path) -> dict[Path, tuple[bytes, int]]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_they_are_part_of_the_corpus(corpus: Path, cover: Path, shared_schemas: Path) -> None:
    before = contents(corpus / "imagery")
    done = add_labels(corpus, source(cover))
    assert (done.product, done.version, done.added, done.samples) == ("labels_cover", "1", True, 6)
    assert contents(corpus / "imagery") == before
    assert audit(open_store(str(corpus)), schemas=shared_schemas, digests=True).problems == ()
    item = parse_corpus_json((corpus / "corpus.json").read_bytes()).product("labels_cover")
    assert item.terms == TERMS
    assert len(list(corpus.rglob("labels/**/labels_cover_*.geojson"))) == 6
    assert (corpus / "resources" / "tiny_labels_cover_labels.csv.gz").exists()


def test_their_collection_says_whose_they_are(corpus: Path, cover: Path) -> None:
    add_labels(corpus, source(cover))
    path = corpus / "stac-v1.0" / "tiny_v1_labels_cover" / "collection.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    assert (document["license"], document["attribution"]) == ("CC-BY-4.0", "The label makers")
    hrefs = {name: asset["href"] for name, asset in document["assets"].items()}
    assert hrefs["labels"].endswith("/resources/tiny_labels_cover_labels.csv.gz")
    assert hrefs["label_mappings"].endswith("/resources/tiny_labels_cover_label_mappings.csv")
    own = json.loads((corpus / "stac-v1.0" / "tiny_v1_labels" / "collection.json").read_text(encoding="utf-8"))
    assert own["assets"]["labels"]["href"].endswith("/resources/tiny_labels.csv.gz")


@pytest.mark.slow
def test_a_build_with_them_makes_the_same_bytes(tiny: Path, corpus: Path, cover: Path, tmp_path: Path) -> None:
    """An oracle: the recipe that `corpus.json` holds afterwards, built from scratch."""
    add_labels(corpus, source(cover))
    recipe = parse_corpus_json((corpus / "corpus.json").read_bytes()).recipe
    assert list(recipe["labels"]) == ["clc", "cover"]
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document["labels"]["cover"] = recipe["labels"]["cover"]
    shutil.copy(cover, tiny / "cover.tif")
    (tiny / "with-cover.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    build(tiny / "with-cover.yaml", out=tmp_path / "built", factory=processes(2))
    assert digest_of(corpus) == digest_of(tmp_path / "built")


def test_a_later_build_keeps_them_though_their_file_is_gone(
    tiny: Path, corpus: Path, cover: Path, tmp_path: Path
) -> None:
    own = Path(shutil.copy(cover, tmp_path / "own.tif"))
    add_labels(corpus, source(own))
    added = digest_of(corpus)
    own.unlink()
    for _ in range(2):
        done = build(tiny, out=corpus)
        assert "labels_cover was added to the corpus before: kept" in done.notes
        assert not [note for note in done.notes if "taken out" in note]
        assert digest_of(corpus) == added


def test_the_same_labels_twice_change_nothing(corpus: Path, cover: Path, tmp_path: Path) -> None:
    add_labels(corpus, source(cover))
    before = {path: what for path, what in contents(corpus).items() if ".landloom" not in path.parts}
    shutil.copy(cover, tmp_path / "renamed.tif")
    for again in (source(cover), source(tmp_path / "renamed.tif")):
        assert not add_labels(corpus, again).added
    assert {path: what for path, what in contents(corpus).items() if ".landloom" not in path.parts} == before


def test_other_labels_of_the_same_name_are_a_new_version(corpus: Path, cover: Path, tmp_path: Path) -> None:
    add_labels(corpus, source(cover))
    before = {path: data for path, (data, _) in contents(corpus / "labels").items()}
    with rasterio.open(cover) as file:
        classes, profile = file.read(1), file.profile
    with rasterio.open(tmp_path / "newer.tif", "w", **profile) as file:
        file.write(np.where(classes == 6, 7, classes).astype(np.uint8), 1)
    done = add_labels(corpus, source(tmp_path / "newer.tif"))
    assert (done.product, done.version, done.added) == ("labels_cover_v2", "2", True)
    assert not add_labels(corpus, source(cover)).added
    assert not add_labels(corpus, source(tmp_path / "newer.tif")).added
    assert audit(open_store(str(corpus)), digests=True).problems == ()
    after = {path: data for path, (data, _) in contents(corpus / "labels").items()}
    assert after.items() > before.items()
    info = parse_corpus_json((corpus / "corpus.json").read_bytes())
    assert [item.label_version for item in info.labels] == ["1", "1", "2"]


def test_the_name_of_the_corpus_own_labels_is_its_first_version(tiny: Path, corpus: Path) -> None:
    """Its own polygons change nothing; a raster of them is version 2, and a share of it can be asked for."""
    terms = parse_corpus_json((corpus / "corpus.json").read_bytes()).product("labels").terms
    own = source(tiny / "archive" / "landcover.gpkg", "clc", taxonomy="clc", column="CODE_18", terms=terms)
    assert not add_labels(corpus, own).added
    raster = source(tiny / "archive" / "landcover_3035.tif", "clc", taxonomy="clc")
    assert add_labels(corpus, raster).product == "labels_clc_v2"
    assert audit(open_store(str(corpus)), digests=True).problems == ()
    table = Corpus.open(corpus)
    assert "labels_clc_v2_clc_111" in table.columns


def test_interrupted_it_can_be_run_again(corpus: Path, cover: Path, tmp_path: Path) -> None:
    """Whatever of the new documents was written before the end: the second run ends in the same bytes."""
    whole = tmp_path / "whole"
    shutil.copytree(corpus, whole)
    add_labels(whole, source(cover))
    for part in ("index", "labels", "manifest", "stac-v1.0"):
        half = tmp_path / f"half-{part}"
        shutil.copytree(corpus, half)
        shutil.copytree(whole / part, half / part, dirs_exist_ok=True)
        (half / "digest.json").unlink()  # it goes before anything that it covers
        add_labels(half, source(cover))
        assert digest_of(half) == digest_of(whole)
        assert audit(open_store(str(half)), digests=True).problems == ()


def polygons(path: Path, rows: list[tuple[Any, Any]]) -> Path:
    codes, shapes = zip(*rows, strict=True)
    geopandas.GeoDataFrame({"code": codes}, geometry=list(shapes), crs=4326).to_file(path)
    return path


BOX = shapely.box(8, 45, 9, 46)
BOW = shapely.Polygon([(8, 45), (9, 46), (9, 45), (8, 46)])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("311", BOX), ("311", BOW)], "feature 2: Self-intersection"),
        ([("311", BOX), ("311", BOX), ("311", shapely.Polygon())], "feature 3: empty geometry"),
        ([("311", BOX), ("311", None)], "feature 2: no geometry"),
        ([("311", BOX), ("wood", BOX)], "feature 2: no class of clc 'wood'"),
    ],
)
def test_bad_rows_are_named(corpus: Path, tmp_path: Path, rows: list[tuple[Any, Any]], message: str) -> None:
    before = digest_of(corpus)
    file = polygons(tmp_path / "bad.gpkg", rows)
    with pytest.raises(InvalidInputError, match=message):
        add_labels(corpus, source(file, taxonomy="clc", column="code"))
    assert digest_of(corpus) == before


def test_bad_geometries_can_be_repaired(tiny: Path, corpus: Path, tmp_path: Path) -> None:
    good = geopandas.read_file(tiny / "archive" / "landcover.gpkg").to_crs(4326)
    rows = [*zip(good.CODE_18, good.geometry, strict=True), ("311", BOW)]
    file = polygons(tmp_path / "bad.gpkg", rows)
    done = add_labels(corpus, source(file, taxonomy="clc", column="code", invalid="repair"))
    assert done.added
    assert done.notes[0].startswith(f"feature {len(good) + 1}: Self-intersection")


def test_a_build_names_bad_geometries_or_says_that_it_has_repaired_them(
    tiny: Path, tiny_corpus: Path, tmp_path: Path
) -> None:
    """A bow tie over the whole region in place of nothing: of two claims the smaller polygon has the ground."""
    good = geopandas.read_file(tiny / "archive" / "landcover.gpkg").to_crs(4326)
    bow = shapely.Polygon([(11.7, 50.0), (12.4, 50.3), (12.4, 50.0), (11.7, 50.3)])
    polygons(tmp_path / "bad.gpkg", [*zip(good.CODE_18, good.geometry, strict=True), ("523", bow)])
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document["labels"]["clc"] |= {"file": str(tmp_path / "bad.gpkg"), "column": "code"}
    recipe = tiny / "with-bow.yaml"
    recipe.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(InvalidInputError, match=f"feature {len(good) + 1}: Self-intersection"):
        build(recipe, out=tmp_path / "refused")
    document["labels"]["clc"]["invalid"] = "repair"
    recipe.write_text(yaml.safe_dump(document), encoding="utf-8")
    notes = build(recipe, out=tmp_path / "repaired").notes
    assert [note for note in notes if note.startswith(f"clc: feature {len(good) + 1}: Self-intersection")]
    assert len([note for note in notes if "the ground goes to the smaller polygon" in note]) == 2
    there, plain = Corpus.open(tmp_path / "repaired").query(), Corpus.open(tiny_corpus).query()
    assert list(there.ids) == list(plain.ids)
    assert there.fractions()["clc_311"] == pytest.approx(plain.fractions()["clc_311"], abs=0.02)


def test_a_build_names_what_no_sample_would_show(tiny: Path, tmp_path: Path) -> None:
    """Rows without geometry, and codes far from every sample."""
    good = geopandas.read_file(tiny / "archive" / "landcover.gpkg").to_crs(4326)
    odd = [("311", None), ("777", shapely.box(-50, -40, -49, -39))]
    polygons(tmp_path / "odd.gpkg", [*zip(good.CODE_18, good.geometry, strict=True), *odd])
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document["labels"]["clc"] |= {"file": str(tmp_path / "odd.gpkg"), "column": "code"}
    recipe = tiny / "with-odd-rows.yaml"
    recipe.write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(InvalidInputError) as refused:
        build(recipe, out=tmp_path / "refused")
    assert f"feature {len(good) + 1}: " in str(refused.value)
    assert f"feature {len(good) + 2}: " in str(refused.value)


def no_crs(folder: Path) -> Path:
    file = polygons(folder / "x.shp", [("311", BOX)])
    file.with_suffix(".prj").unlink()
    return file


def with_crs(folder: Path) -> Path:
    return polygons(folder / "x.gpkg", [("311", BOX)])


@pytest.mark.parametrize(
    ("file", "changes", "error", "message"),
    [
        (no_crs, {"column": "code"}, InvalidInputError, "has no CRS"),
        (with_crs, {}, InvalidInputError, r"\w+ the column of the code"),
        (with_crs, {"column": "kode"}, NotFoundError, r"no column in .*'kode'; nearest: code"),
        (with_crs, {"column": "code", "layer": "y"}, NotFoundError, "no layer"),
        (with_crs, {"column": "code", "taxonomy": "corine"}, NotFoundError, "no taxonomy"),
        (lambda folder: folder / "none.gpkg", {"column": "code"}, LandloomError, r"no file .*none\.gpkg"),
        (lambda folder: folder / "none.tif", {}, LandloomError, r"none\.tif: .*No such file"),
    ],
)
def test_mistakes_are_named(
    corpus: Path,
    tmp_path: Path,
    file: Callable[[Path], Path],
    changes: dict[str, Any],
    error: type[LandloomError],
    message: str,
) -> None:
    before = digest_of(corpus)
    with pytest.raises(error, match=message):
        add_labels(corpus, source(file(tmp_path), **({"taxonomy": "clc"} | changes)))
    assert digest_of(corpus) == before


def test_unknown_numbers_of_a_raster_are_named(tiny: Path, corpus: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"got raster values \[\d+"):
        add_labels(corpus, source(tiny / "archive" / "landcover_3035.tif"))


def test_labels_that_reach_no_sample_are_a_mistake(corpus: Path, tmp_path: Path) -> None:
    """Nearly always another region, or swapped axes; said with both extents, and allowed for those who mean it."""
    before = digest_of(corpus)
    file = polygons(tmp_path / "elsewhere.gpkg", [("311", BOX)])
    with pytest.raises(InvalidInputError, match=r"no label lies in any of the 6 cells; it reaches from 8 to 9 degrees"):
        add_labels(corpus, source(file, taxonomy="clc", column="code"))
    assert digest_of(corpus) == before
    done = add_labels(corpus, source(file, taxonomy="clc", column="code", allow_empty=True))
    assert done.notes == ("cover: 6 of 6 samples without any label",)


def test_a_raster_that_reaches_no_sample_is_a_mistake(corpus: Path, cover: Path, tmp_path: Path) -> None:
    with rasterio.open(cover) as file:
        profile = file.profile | {"transform": file.transform @ file.transform.translation(9000, 0)}
        classes = file.read(1)
    with rasterio.open(tmp_path / "elsewhere.tif", "w", **profile) as file:
        file.write(classes, 1)
    with pytest.raises(InvalidInputError, match="no label lies in any of the 6 cells"):
        add_labels(corpus, source(tmp_path / "elsewhere.tif"))


def test_samples_without_any_label_are_counted(tiny: Path, corpus: Path, tmp_path: Path) -> None:
    """Half of the samples: those of one of the two tiles."""
    good = geopandas.read_file(tiny / "archive" / "landcover.gpkg").to_crs(4326)
    west = good[good.bounds.maxx < 12]
    file = polygons(tmp_path / "west.gpkg", list(zip(west.CODE_18, west.geometry, strict=True)))
    done = add_labels(corpus, source(file, taxonomy="clc", column="code"))
    assert "cover: 3 of 6 samples without any label" in done.notes


@pytest.mark.parametrize("name", ["Cover", "cover_2", "cover-v2", ""])
def test_names_are_checked(name: str) -> None:
    with pytest.raises(InvalidValueError, match="lower-case letters"):
        source(Path("x.tif"), name)


def test_where_there_is_no_corpus(tmp_path: Path, cover: Path) -> None:
    with pytest.raises(CorpusError, match="not a finished corpus"):
        add_labels(tmp_path, source(cover))
    assert not list(tmp_path.iterdir())
