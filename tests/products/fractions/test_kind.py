"""Class fractions of a recipe: named by their place, computed by tile, checked before anything is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import geopandas
import numpy as np
import pyarrow.parquet as pq
import pytest
import shapely
import yaml
from tests.projects import TERMS, project_of

from landloom.engine.context import build_context
from landloom.engine.journal import Journal
from landloom.engine.results import Results
from landloom.engine.units import Note, NoteKind, Outcome, Unit
from landloom.errors import InvalidInputError, RecipeError
from landloom.model.ids import TileId
from landloom.model.sample import Sample
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY, Recipe
from landloom.products.fractions.kind import FractionsKind
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.kinds import ProductRequest

POLYGONS = {"taxonomy": "clc", "file": "clc.gpkg", "column": "code", "terms": TERMS}


def requests(folder: Path, sections: dict[str, dict[str, Any]]) -> dict[str, ProductRequest[Any]]:
    samples = {"draw": "all"}
    project = project_of(folder, samples=samples, labels=sections)
    return {one.key: one for one in REGISTRY.requests(project) if isinstance(one.kind, FractionsKind)}


def test_the_first_labels_are_the_corpus_own_and_further_ones_carry_their_name(tmp_path: Path) -> None:
    found = requests(tmp_path, {"clc": POLYGONS, "clc-2024": POLYGONS})
    (own,), (more,) = (one.kind.describe(one) for one in found.values())
    assert (own.key, own.product.prefix) == ("labels", "labels")
    assert (more.key, more.product.collection, more.product.prefix) == ("labels_clc_2024",) * 3
    assert {item.taxonomy.name for item in (own, more) if item.taxonomy} == {"clc"}
    assert [one.unit for one in found.values()] == ["labels.clc", "labels.clc-2024"]


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"file": "clc.tif"}, "labels.clc.column"),
        ({"file": "clc.tif", "column": None, "layer": "a"}, "labels.clc.layer"),
        ({"taxonomy": "corine"}, "labels.clc.taxonomy"),
        ({"invalid": "ignore"}, "labels.clc.invalid"),
    ],
)
def test_what_would_be_ignored_is_refused(tmp_path: Path, settings: dict[str, Any], where: str) -> None:
    document = project_of(tmp_path, samples={"draw": "all"}).recipe.document()
    with pytest.raises(RecipeError) as refused:
        Recipe.parse(document | {"labels": {"clc": POLYGONS | settings}})
    assert where in [problem.where for problem in refused.value.problems]


def test_a_source_is_checked_before_anything_is_made(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"code": ["311", "wood"]}, geometry=[shapely.box(0, 0, 1, 1)] * 2, crs=4326)
    frame.to_file(tmp_path / "clc.gpkg")
    request = requests(tmp_path, {"clc": POLYGONS})["clc"]
    with build_context(tmp_path / "corpus") as context, pytest.raises(InvalidInputError, match="feature 2: no class"):
        request.kind.check(request, context)


def test_the_index_holds_what_the_tiles_tables_hold(tiny: Path, tiny_corpus: Path) -> None:
    (request,) = [one for one in REGISTRY.requests(REGISTRY.open(tiny)) if isinstance(one.kind, FractionsKind)]
    table = pq.read_table(tiny_corpus / "index" / "samples.parquet")
    (item,) = request.kind.describe(request)
    assert item.taxonomy is not None
    index = np.stack([table.column(name).to_numpy() for name in item.taxonomy.columns()], axis=1)
    ids, tiles = table.column("id").to_pylist(), table.column("tile").to_pylist()
    assert len(set(tiles)) == 2
    shares: dict[str, list[int]] = {}
    for tile in sorted(set(tiles)):
        found = request.kind.shares(request, tile, LocalStore(tiny_corpus))
        assert found is not None
        own = sorted(name for name in ids if name.startswith(f"{tile}_"))
        shares |= dict(zip(own, found.tolist(), strict=True))
    assert [shares[name] for name in ids] == index.tolist()


def test_labels_of_no_sample_are_refused_and_repaired_rows_noted(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"code": ["311"]}, geometry=[shapely.box(8, 45, 9, 46)], crs=4326)
    frame.to_file(tmp_path / "clc.gpkg")
    tile = "33N_16E-243N"
    samples = {tile: tuple(Sample.of_utm24(cell) for cell in TileId.parse(tile).samples()[:3])}
    request = requests(tmp_path, {"clc": POLYGONS})["clc"]
    unit = Unit(kind="fractions", product="labels.clc", tile=tile, samples=samples[tile], key="k", memory=0, task=None)  # type: ignore[arg-type]
    with Journal(tmp_path / "j") as journal:
        for missing, message in ((3, "no label lies in any of the 3 cells"), (1, None)):
            notes = (
                Note(kind=NoteKind.UNLABELLED, what="cells without any label", count=missing),
                Note(kind=NoteKind.REPAIRED, what="feature 1: Self-intersection"),
            )
            journal.record_outcome(unit, Outcome(files=(), notes=notes), seconds=0)
            results = Results([unit], journal, samples)
            if message is not None:
                with pytest.raises(InvalidInputError, match=message):
                    request.kind.notes(request, results)
            else:
                assert request.kind.notes(request, results) == [
                    "clc: 1 of 3 samples without any label",
                    "clc: feature 1: Self-intersection: repaired",
                ]


def test_two_labels_of_one_taxonomy_have_columns_of_their_own(tiny: Path, tiny_archive: Path, tmp_path: Path) -> None:
    """The polygons and the raster of the simulated world: the same land cover, but for the raster's edges."""
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document["labels"]["raster"] = {"taxonomy": "clc", "file": "archive/landcover_3035.tif", "terms": TERMS}
    (tmp_path / "archive").symlink_to(tiny_archive)
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    build(tmp_path)
    table = pq.read_table(tmp_path / "corpus" / "index" / "samples.parquet")
    own = [name for name in table.column_names if name.startswith("clc_")]
    more = [f"labels_raster_{name}" for name in own]
    assert set(more) <= set(table.column_names)
    first, second = (np.stack([table.column(name).to_numpy().astype(float) for name in names]) for names in (own, more))
    assert np.abs(first - second).mean() < 0.05 * first.sum(axis=0).mean()
    assert (first.sum(axis=0) == second.sum(axis=0)).all()
