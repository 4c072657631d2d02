"""Fused series of a recipe: built whole, in both layouts, from one archive and from two; what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
import zarr
from tests.projects import TERMS, digest_of, project_of

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.lineage import read_lineage
from landloom.errors import RecipeError
from landloom.formats.geotiff import decode_geotiff
from landloom.imagery.fusion.quality import QUALITY_NODATA
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY
from landloom.products.fused.kind import FusedKind, products, timesteps
from landloom.publication.layouts import export
from landloom.simulate.archive import simulate_archive
from landloom.simulate.spec import world_spec
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

FUSED = {"kind": "fused", "terms": TERMS}
LAYERS = ("synthetic", "days", "cloud", "traceability", "references")


@pytest.fixture(scope="module")
def made(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Builds the tiny recipe with a fused series instead of composites."""

    def call(name: str, fused: dict[str, Any], **changes: Any) -> Path:
        folder = tmp_path_factory.mktemp(name)
        (folder / "archive").symlink_to(tiny / "archive")
        document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
        document["products"] = {"pfsr": FUSED | fused}
        document["samples"]["count"] = 4
        document["layouts"] = ["chips", "cubes"]
        document |= changes
        if "archives" in changes:
            del document["archive"]
        (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        build(folder)
        return folder / "corpus"

    return call


@pytest.fixture(scope="module")
def corpus(fused: Path) -> Path:
    """What `made` makes without changes."""
    return fused / "corpus"


def chips(corpus: Path, folder: str) -> dict[str, NDArray[Any]]:
    """Sample and timestep → chip."""
    found = sorted(corpus.glob(f"imagery/*/*/*/{folder}/*.tif"))
    return {f"{one.parts[-3]}/{one.stem}": decode_geotiff(one.read_bytes())[0] for one in found}


def test_a_corpus_is_whole_and_valid(corpus: Path) -> None:
    report = audit(open_store(str(corpus)))
    assert not report.problems
    finished = FinishedCorpus.open(str(corpus))
    info = {one.key: one for one in finished.info.products}
    assert [len(info[key].timesteps) for key in ("pfsr", "pfqa")] == [13, 13]
    assert info["pfsr"].timesteps[0].name == "2018-06-03"
    assert (info["pfqa"].product.dtype, info["pfqa"].product.nodata) == ("uint16", QUALITY_NODATA)


def test_series_are_complete_and_layers_mean_what_they_say(corpus: Path) -> None:
    series, quality = chips(corpus, "PF-SR"), chips(corpus, "PF-QA")
    assert set(series) == set(quality)
    assert len(series) == 4 * 13
    for name, layers in quality.items():
        assert series[name].shape == (4, 60, 60)
        assert series[name].min() > 0, "complete"
        assert layers.shape == (9, 60, 60)
        synthetic, days = layers[0], layers[1]
        assert synthetic.max() <= 100
        assert (synthetic[days > 3] > 0).all()
        assert (synthetic[days < 2] == 0).all()
        assert set(np.unique(layers[2])) <= {0, 1, 2, 3, QUALITY_NODATA}
        assert layers[4].max() < 30
        assert (layers[5:] > 0).all()
        assert (layers[5:] < 5_000).all()


def test_one_item_carries_both(corpus: Path) -> None:
    items = [one for one in corpus.glob("stac-v1.0/*source_pf/*/*/*.json") if one.name != "collection.json"]
    assert len(items) == 4
    for path in items:
        item = json.loads(path.read_bytes())
        keys = set(item["assets"])
        assert {"sr_2018-06-03", "qa_2018-06-03"} <= keys
        assert len([key for key in keys if key.startswith(("sr_", "qa_"))]) == 2 * 13


def test_codes_lead_to_scenes(corpus: Path) -> None:
    quality = chips(corpus, "PF-QA")
    for path in corpus.glob("lineage/*/*/PF-SR.json"):
        tile, key, lineage = read_lineage(path.read_bytes())
        codes = {scene.code for step in lineage.timesteps for scene in step.scenes}
        assert key == "pfsr"
        here = [chip for name, chip in quality.items() if name.startswith(tile)]
        told = set(np.unique(np.stack([chip[3] for chip in here]))) - {QUALITY_NODATA}
        assert told
        assert told <= codes


def test_items_carry_the_table_of_codes(corpus: Path, tmp_path: Path) -> None:
    """So do those of an exported corpus."""
    for path in corpus.glob("lineage/*/*/PF-SR.json"):
        tile, _, lineage = read_lineage(path.read_bytes())
        table = {str(one.code): one.id for step in lineage.timesteps for one in step.scenes}
        assert table
        for own in corpus.glob(f"stac-v1.0/*source_pf/*/{tile.rpartition('_')[2]}/*.json"):
            if own.name != "collection.json":
                assert json.loads(own.read_bytes())["properties"]["scene_codes"].keys() == table.keys()
    export(str(corpus), tmp_path / "other", layouts=("cubes",))
    (one, *_) = [
        path for path in (tmp_path / "other").glob("stac-v1.0/*source_pf/*/*/*.json") if path.name != "collection.json"
    ]
    assert json.loads(one.read_bytes())["properties"]["scene_codes"]


def test_displacements_are_recorded_by_default(corpus: Path) -> None:
    for path in corpus.glob("lineage/*/*/PF-SR.json"):
        _, _, lineage = read_lineage(path.read_bytes())
        shifts = [scene.shift for step in lineage.timesteps for scene in step.scenes]
        assert shifts
        assert not any(one is None or one.corrected for one in shifts)
        assert any(one is not None and one.windows for one in shifts)


def test_broken_scenes_are_named(corpus: Path) -> None:
    left_out = [
        one.id
        for path in corpus.glob("lineage/*/*/PF-SR.json")
        for step in read_lineage(path.read_bytes())[2].timesteps
        for one in step.left_out
    ]
    assert all(one.startswith("S2") for one in left_out)


def test_cubes_hold_what_chips_hold(corpus: Path) -> None:
    series = chips(corpus, "PF-SR")
    for folder in corpus.glob("imagery/*/*/PF-SR.zarr"):
        group: Any = zarr.open_group(folder, mode="r")
        samples, cubes = [str(one) for one in group["sample"][:]], group["data"][:]
        steps = sorted({name.split("/")[1] for name in series})
        for row, sample in enumerate(samples):
            np.testing.assert_array_equal(cubes[row], np.stack([series[f"{sample}/{step}"] for step in steps]))


def test_the_same_bytes_again(corpus: Path, made: Callable[..., Path]) -> None:
    assert digest_of(made("again", {})) == digest_of(corpus)


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of the same land on other days: it stands in for a second sensor."""
    spec = world_spec("tiny")
    views = tuple(replace(view, first=view.first + 3, orbit=view.orbit + 1) for view in spec.views)
    folder = tmp_path_factory.mktemp("second") / "archive"
    simulate_archive(replace(spec, views=views), folder)
    return folder


def test_a_second_archive_complements_the_first(corpus: Path, made: Callable[..., Path], second: Path) -> None:
    """Its dates are used, under codes of their own."""
    places = {"first": "archive/catalog.json", "more": str(second / "catalog.json")}
    archives = {name: {"kind": "static", "href": href} for name, href in places.items()}
    both = made("two", {"archive": "first", "second": "more"}, archives=archives)
    assert not audit(open_store(str(both))).problems
    for path in both.glob("lineage/*/*/PF-SR.json"):
        lineage = read_lineage(path.read_bytes())[2]
        assert {scene.code for step in lineage.timesteps for scene in step.scenes}
    one, two = chips(corpus, "PF-SR"), chips(both, "PF-SR")
    assert one.keys() == two.keys()
    assert any(not np.array_equal(one[name], two[name]) for name in one)


def test_a_second_archive_that_cannot_be_compared_is_named(tiny: Path, tmp_path: Path) -> None:
    """Each shows the land that the other does not."""
    spec, archives = world_spec("tiny"), {}
    for name, swath in {"west": 0.5, "east": -0.4}.items():
        views = tuple(replace(one, swath=swath, partial=1) for one in spec.views)
        simulate_archive(replace(spec, views=views), tmp_path / name)
        archives[name] = {"kind": "static", "href": str(tmp_path / name / "catalog.json")}
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document |= {"products": {"pfsr": FUSED | {"archive": "west", "second": "east"}}, "archives": archives}
    document["allow_blank"] = True
    del document["archive"]
    (tmp_path / "archive").symlink_to(tiny / "archive")
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    report = build(tmp_path).corpus / "report.html"
    assert "can nowhere nearby be compared with the first" in report.read_text(encoding="utf-8")


def problems(folder: Path, **changes: Any) -> set[str]:
    with pytest.raises(RecipeError) as caught:
        project_of(folder, **changes)
    return {f"{one.where}: {one.what}" for one in caught.value.problems}


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"more": FUSED}, "published as pfsr"),
        ({"pfsr": FUSED, "pfqa": {"kind": "external", "cadence": "5 days", "terms": TERMS}}, "is made with pfsr"),
        ({"pfsr": FUSED | {"cadence": "month"}}, "number of days"),
        ({"pfsr": FUSED | {"second": "nowhere"}}, "expected one of archives"),
        ({"pfsr": FUSED | {"archive": "a", "second": "a"}}, "name another"),
    ],
)
def test_refusals(tmp_path: Path, section: dict[str, Any], words: str) -> None:
    assert any(words in one for one in problems(tmp_path, products=section))


def test_two_years_are_146_dates(tmp_path: Path) -> None:
    period = {"start": "2018-01-01", "end": "2020-01-01"}
    project = project_of(tmp_path, products={"pfsr": FUSED | {"period": period, "resolution": 3}})
    (request,) = (one for one in REGISTRY.requests(project) if isinstance(one.kind, FusedKind))
    steps = timesteps(request)
    assert (len(steps), steps[0].name, steps[-1].name) == (146, "2018-01-03", "2019-12-29")
    series, quality = products(request)
    assert [band.name for band in series.bands] == ["blue", "green", "red", "nir"]
    assert [band.name for band in quality.bands][:5] == list(LAYERS)
    assert {one.resolution for one in (series, quality)} == {3}


def test_the_mask_of_the_sensor_by_name_changes_nothing_but_the_lineage(
    corpus: Path, made: Callable[..., Path]
) -> None:
    named = made("named", {"mask": {"source": "scl"}})
    for folder in ("PF-SR", "PF-QA"):
        for key, chip in chips(corpus, folder).items():
            np.testing.assert_array_equal(chip, chips(named, folder)[key])
    for path in sorted(named.glob("lineage/*/*/PF-SR.json")):
        for step in json.loads(path.read_bytes())["timesteps"]:
            scenes = {scene["id"] for scene in step["scenes"]}
            assert scenes <= set(step.get("masks", {}))
            assert {text for one in step.get("masks", {}).values() for text in one.values()} <= {
                "clear 4 5 6 7 11, dilated by 3"
            }
