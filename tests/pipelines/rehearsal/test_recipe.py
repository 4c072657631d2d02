"""The rehearsed part of a recipe: its samples, labels and periods; what cannot be rehearsed is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import shapely
import yaml

from landloom.engine.recipe_region import region_of
from landloom.errors import InvalidInputError
from landloom.labels.classes import value_text
from landloom.model.ids import SampleId
from landloom.model.recipe import LabelSource
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.rehearsal.places import EQUAL_AREA, extent_of, places
from landloom.pipelines.rehearsal.recipe import POLYGON, Part, label_layer, require_rehearsable, write_part
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.project import Project

ADDRESS = "http://127.0.0.1:9"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_starter("rapidai4eo", tmp_path / "landloom.yaml")
    return REGISTRY.open(tmp_path)


def changed(project: Project, folder: Path, **keys: object) -> Project:
    folder.mkdir()
    document = project.recipe.document() | keys
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return REGISTRY.open(folder)


def test_tiles_are_as_full_as_those_of_the_recipe(project: Project) -> None:
    extent = extent_of(project)
    assert (extent.samples, extent.tiles, extent.steps["s2"], extent.steps["pfsr"]) == (500_000, 1_402, 12, 146)
    found = places(project, extent, 1_000)
    assert len(found) == len(set(found)) == 1_000
    assert list(found) == sorted(found)
    counts = sorted(sum(one.tile == tile for one in found) for tile in {one.tile for one in found})
    assert counts == [1_000 - 2 * 357, 357, 357]
    assert found == places(project, extent, 1_000)
    region = region_of(project)
    assert all(region.intersects(tile.grid(60).footprint()) for tile in {one.tile for one in found})


def test_listed_samples_are_used_as_they_are(project: Project, tmp_path: Path) -> None:
    ids = [f"33N_16E-243N_{row:02d}_05" for row in range(1, 5)] + ["33N_17E-243N_01_01"]
    listed = changed(project, tmp_path / "own", samples={"draw": "list", "ids": ids})
    extent = extent_of(listed)
    assert (extent.samples, extent.tiles) == (5, 2)
    assert places(listed, extent, 9) == tuple(sorted(map(SampleId.parse, ids)))
    assert set(places(listed, extent, 2)) < set(map(SampleId.parse, ids))


def test_a_part_reads_the_synthetic_archive_and_makes_the_same_products(project: Project, tmp_path: Path) -> None:
    samples = places(project, extent_of(project), 30)
    own = write_part(project, Part(samples=samples, months=2), ADDRESS, tmp_path / "part")
    assert own.recipe.archive is not None
    assert (own.recipe.archive.kind, own.recipe.archive.href) == ("stac-api", ADDRESS)
    assert (tmp_path / "part" / "samples.txt").read_text().split() == [str(sample) for sample in samples]
    before, after = project.recipe.document(), own.recipe.document()
    assert after["products"].keys() == before["products"].keys()
    assert after["period"]["end"].startswith("2018-03-01")
    assert after["products"]["pfsr"]["period"]["end"].startswith("2018-03-01")
    assert REGISTRY.missing_inputs(own) == []
    kept = ("name", "version", "seed", "layouts", "publication")
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}


def test_only_wanted_products_are_made(project: Project, tmp_path: Path) -> None:
    part = Part(samples=places(project, extent_of(project), 3), products=("s2",))
    assert list(write_part(project, part, ADDRESS, tmp_path / "part").recipe.products) == ["s2"]
    with pytest.raises(InvalidInputError, match="got the product 's3', expected one of"):
        write_part(project, Part(samples=part.samples, products=("s3",)), ADDRESS, tmp_path / "other")


def test_labels_cover_tiles_without_gaps_or_overlaps(tmp_path: Path) -> None:
    import geopandas

    from landloom.model.shapes import reproject
    from landloom.model.taxonomy import taxonomy

    tile = SampleId.parse("33N_16E-243N_29_01").tile
    source = LabelSource(taxonomy="clc", file="x.gpkg", column="Code_18", layer="U2018")
    (tmp_path / "x.gpkg").write_bytes(label_layer([tile], source))
    frame = geopandas.read_file(tmp_path / "x.gpkg", layer="U2018")
    outline = reproject(tile.grid(600).outline().segmentize(600.0), 32633, EQUAL_AREA)
    union = shapely.union_all(frame.geometry)
    assert union.contains(outline)
    assert union.area == pytest.approx(frame.geometry.area.sum())
    assert union.area == pytest.approx(len(frame) * POLYGON**2)
    codes = {value_text(code) for code in frame["Code_18"]}
    assert codes == set(taxonomy("clc").codes()) - {taxonomy("clc").nodata}


def test_what_cannot_be_rehearsed_is_refused(project: Project, tmp_path: Path) -> None:
    landsat = {"kind": "earth-search", "collection": "landsat-c2-l2"}
    products = {"month": {"kind": "composite", "terms": project.recipe.document()["products"]["s2"]["terms"]}}
    other = changed(project, tmp_path / "landsat", archive=landsat, products=products)
    with pytest.raises(InvalidInputError, match="expected sentinel-2-l2a: no other is rehearsed yet"):
        require_rehearsable(other)
    write_starter("landcovernet", tmp_path / "granules.yaml")
    granules = REGISTRY.open(tmp_path / "granules.yaml")
    with pytest.raises(InvalidInputError, match="scheme granule, expected utm24"):
        extent_of(granules)
