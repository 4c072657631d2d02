"""Series that somebody else has made: imported as delivered, from chips and from files of a tile; what is missing."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
import yaml
from tests.products.fused.test_kind import FUSED, chips, problems

from landloom.corpus.audit.validate import audit
from landloom.corpus.lineage import read_lineage
from landloom.errors import InvalidInputError, LandloomError
from landloom.model.product import PRODUCTS
from landloom.pipelines.build import build
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.withheld import evaluate_withheld
from landloom.store.open import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAYERS = [band.name for band in PRODUCTS["pfqa"].bands]
COLOURS = [{"name": name, "common_name": name} for name in ("blue", "green", "red", "nir")]
IMPORTED = FUSED | {"source": "imported", "archive": "delivered", "quality": "layers"}


def archives(folder: str, series: str, quality: str) -> dict[str, Any]:
    """Two archives of files: all bands of a date in one."""
    own = {"name": "planet-fusion", "resolution": 10, "bands": COLOURS, "scale": 0.0001}
    layers = {"name": "planet-fusion-qa", "resolution": 10, "bands": LAYERS}
    return {
        "delivered": {"kind": "files", "href": folder, "pattern": series, "own_sensor": own},
        "layers": {"kind": "files", "href": folder, "pattern": quality, "own_sensor": layers},
    }


@pytest.fixture
def recipe(fused: Path, tmp_path: Path) -> Callable[..., Path]:
    """A recipe that imports, with samples as those of the fused corpus."""

    def write(places: dict[str, Any], **changes: Any) -> Path:
        document = yaml.safe_load((fused / "landloom.yaml").read_text(encoding="utf-8"))
        (tmp_path / "archive").symlink_to(fused / "archive")
        del document["archive"]
        document |= {"archives": places, "products": {"pfsr": IMPORTED}} | changes
        (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def delivery(fused: Path, tmp_path: Path) -> Path:
    """Files of a published corpus, as somebody gets them."""
    folder = tmp_path / "delivery"
    for part in ("PF-SR", "PF-QA"):
        for path in (fused / "corpus").glob(f"imagery/*/*/*/{part}/*.tif"):
            target = folder / path.parts[-3] / part / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return folder


CHIPS = ("{place}/PF-SR/{date}.tif", "{place}/PF-QA/{date}.tif")


def test_what_was_published_is_imported_as_it_was(fused: Path, delivery: Path, recipe: Callable[..., Path]) -> None:
    made = build(recipe(archives(str(delivery), *CHIPS))).corpus
    assert not audit(open_store(str(made))).problems
    for part in ("PF-SR", "PF-QA"):
        before, after = chips(fused / "corpus", part), chips(made, part)
        assert before.keys() == after.keys()
        for name, chip in before.items():
            np.testing.assert_array_equal(after[name], chip)
    for path in made.glob("lineage/*/*/PF-SR.json"):
        assert json.loads(path.read_bytes())["made"] == "imported"
        lineage = read_lineage(path.read_bytes())[2]
        assert lineage.made == "imported"
        assert not lineage.codes
        assert all(step.scenes and step.observations == 1.0 for step in lineage.timesteps)
    titles = {one["title"] for one in json.loads((made / "corpus.json").read_bytes())["products"]}
    assert "Fused surface reflectance, 5 days, imported" in titles


def test_what_was_not_delivered_or_is_broken_is_named(delivery: Path, recipe: Callable[..., Path]) -> None:
    first, second, third, *_ = sorted(delivery.iterdir())
    date = "2018-06-13.tif"
    (first / "PF-SR" / date).unlink()
    (second / "PF-QA" / date).write_bytes((second / "PF-QA" / date).read_bytes()[:3_000])
    with rasterio.open(third / "PF-QA" / date) as file:
        profile, layers = file.profile, file.read().astype(np.float32)
    layers[6] = 0.25
    profile.update(dtype="float32")
    with rasterio.open(third / "PF-QA" / date, "w", **profile) as file:
        file.write(layers)
    result = build(recipe(archives(str(delivery), *CHIPS)))
    told = (result.corpus / "report.html").read_text(encoding="utf-8")
    assert "Fused surface reflectance, 5 days, imported: chips not delivered, of 2018-06-13: nodata" in told
    assert not any("does not match" in one for one in result.notes), "each archive leaves the files of the other"
    series, quality = chips(result.corpus, "PF-SR"), chips(result.corpus, "PF-QA")
    assert (series[f"{first.name}/2018-06-13"] == 0).all()
    for one in (second, third):
        assert (quality[f"{one.name}/2018-06-13"] == 65_535).all()
        assert (series[f"{one.name}/2018-06-13"] > 0).all()
    left_out = {
        one.id: one.reason
        for path in result.corpus.glob("lineage/*/*/PF-SR.json")
        for step in read_lineage(path.read_bytes())[2].timesteps
        for one in step.left_out
    }
    assert len(left_out) == 2
    assert "got 0.25, expected whole numbers from 0 to 65535" in left_out[f"{third.name}_2018-06-13_quality"]


def test_a_folder_whose_names_do_not_match_ends_the_build(delivery: Path, recipe: Callable[..., Path]) -> None:
    with pytest.raises(LandloomError, match="no file matches"):
        build(recipe(archives(str(delivery), "{place}/SR/{date}.tif", CHIPS[1])))


def test_scenes_of_an_imported_series_cannot_be_withheld(delivery: Path, recipe: Callable[..., Path]) -> None:
    project = REGISTRY.open(recipe(archives(str(delivery), *CHIPS)))
    with pytest.raises(InvalidInputError, match="is imported"):
        evaluate_withheld(project)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"quality": None}, "needs the archive of its quality layers"),
        ({"quality": "delivered"}, "name another"),
        ({"dilate": 5}, "has no effect on an imported series"),
        ({"register": "correct"}, "has no effect on an imported series"),
        ({"source": "computed"}, "only an imported series has one"),
    ],
)
def test_refusals(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    section = {name: value for name, value in (IMPORTED | changes).items() if value is not None}
    found = problems(tmp_path, products={"pfsr": section}, archive=None, archives=archives("x", *CHIPS))
    assert any(words in one for one in found), found


def test_quality_layers_are_nine(tmp_path: Path) -> None:
    places = archives("x", *CHIPS)
    places["layers"]["own_sensor"]["bands"] = LAYERS[:8]
    found = problems(tmp_path, products={"pfsr": IMPORTED}, archive=None, archives=places)
    assert any("has 8 bands, expected the 9 layers synthetic, days" in one for one in found), found
