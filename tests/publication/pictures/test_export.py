"""Pictures for other programs, read back as each documents its import; GDAL finds where they lie."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from tests.corpora import write_corpus

from landloom.errors import ForeignCorpusError
from landloom.publication.pictures.export import export_pictures
from landloom.query.corpus import Corpus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Ran
    from tests.corpora import Made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    bands = ("B02", "B03", "B04")
    return write_corpus(tmp_path_factory.mktemp("made") / "corpus", count=2, months=2, bands=bands)


def test_fiftyone_has_a_feature_for_each_picture(made: Made, tmp_path: Path) -> None:
    report = export_pictures(str(made.folder), tmp_path, "fiftyone")
    corpus = Corpus.open(made.folder)
    features = json.loads((tmp_path / "labels.json").read_text("utf-8"))["features"]
    assert report.pictures == len(features) == 4 * 2 - 2  # two chips are missing
    for feature in features:
        facts = feature["properties"]
        assert feature["geometry"]["type"] == "Polygon"
        largest = max(corpus.classes, key=lambda name: facts.get(name, 0.0))
        assert facts["ground_truth"] == corpus.classes[largest]
        with rasterio.open(tmp_path / "data" / facts["filename"]) as picture:
            cube = corpus.query().cube(facts["sample"], "s2")
            assert picture.crs.to_epsg() == int(cube["spatial_ref"])
            assert picture.xy(0, 0) == (float(cube["x"][0]), float(cube["y"][0]))
            assert picture.read().dtype == np.uint8
            number = int(facts["timestep"][-2:]) - 1
            nodata = (made.series[facts["sample"]][number] == 0).any(axis=0)
            assert nodata.any()
            assert len(np.unique(picture.read()[:, nodata], axis=1).T) == 1
    assert json.loads((tmp_path / "landloom_pictures.json").read_text("utf-8"))["stretch"].startswith("reflectance 0")


def test_labelstudio_has_a_task_and_choices(made: Made, tmp_path: Path) -> None:
    export_pictures(str(made.folder), tmp_path, "labelstudio")
    tasks = json.loads((tmp_path / "tasks.json").read_text("utf-8"))
    choices = {one.attrib["value"] for one in ET.parse(tmp_path / "config.xml").getroot().iter("Choice")}  # noqa: S314 - ours
    for task in tasks:
        assert (tmp_path / task["data"]["image"].removeprefix("/data/local-files/?d=")).is_file()
        assert set(task["predictions"][0]["result"][0]["value"]["choices"]) <= choices


def test_cvat_has_an_image_with_a_tag(made: Made, tmp_path: Path) -> None:
    export_pictures(str(made.folder), tmp_path, "cvat")
    root = ET.parse(tmp_path / "annotations.xml").getroot()  # noqa: S314 - ours
    names = {one.text for one in root.findall("meta/task/labels/label/name")}
    images = root.findall("image")
    assert len(images) == int(root.findtext("meta/task/size") or 0) == 6
    for image in images:
        assert (image.attrib["width"], image.attrib["height"]) == ("60", "60")
        assert (tmp_path / "images" / image.attrib["name"]).is_file()
        assert {tag.attrib["label"] for tag in image.findall("tag")} <= names


def test_the_command_says_what_to_import(made: Made, tmp_path: Path, run: object) -> None:
    ran: Ran = run("export", made.folder, tmp_path / "out", "--to", "cvat")  # type: ignore[operator]
    assert ran.code == 0, ran.err
    assert "annotations.xml" in ran.out
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine", encoding="utf-8")
    with pytest.raises(ForeignCorpusError):
        export_pictures(str(made.folder), tmp_path / "other", "cvat")
