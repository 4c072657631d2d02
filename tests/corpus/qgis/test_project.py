"""The project, its styles and its mosaics, against GDAL and as documents; QGIS itself is in tests/clients."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
from tests.qgis import published

from landloom.corpus.audit.validate import validate
from landloom.corpus.finished import FinishedCorpus, tile_content
from landloom.corpus.published_files import PublishedFiles
from landloom.corpus.qgis.mosaics import tile_mosaics
from landloom.corpus.qgis.project import MOST, PROJECT, Shown
from landloom.corpus.stac.links import Hrefs
from landloom.model.rendering.colour import rgb
from landloom.model.rendering.palettes import class_rendering
from landloom.model.taxonomy import taxonomy
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpora import Made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Two tiles of six samples, composites of three months and a class map."""
    return published(tmp_path_factory.mktemp("qgis") / "corpus")


def _document(folder: Path) -> ET.Element:
    with zipfile.ZipFile(folder / PROJECT) as archive:
        assert archive.namelist() == ["corpus.qgs"]
        return ET.fromstring(archive.read("corpus.qgs"))  # noqa: S314 - our own


def test_mosaics_have_the_pixels_names_and_colours_of_the_chips(made: Made) -> None:
    folder, info = made.folder, made.info
    there = FinishedCorpus.open(str(folder))
    for tile, samples in there.tiles.items():
        home = folder / "qgis" / tile.replace("_", "/", 1)
        with rasterio.open(home / "s2_2018-03.vrt") as raster:
            assert raster.descriptions == ("B02", "B03", "B04", "B08")
            assert [one.name for one in raster.colorinterp[:3]] == ["blue", "green", "red"]
            assert (raster.nodata, raster.scales, raster.crs.to_epsg()) == (0, (0.0001,) * 4, samples[0].epsg)
            for sample in samples:
                window = raster.window(*sample.bounds)
                assert np.array_equal(raster.read(window=window), made.series[str(sample.id)][2])
            whole = raster.read(1)
        inside = sum((made.series[str(one.id)][2, 0] > 0).sum() for one in samples)
        assert np.count_nonzero(whole) == inside  # nothing between the samples
        with rasterio.open(home / "landcover.vrt") as raster:
            colours = raster.colormap(1)
            for one in class_rendering(taxonomy("landcovernet")).classes:
                assert colours[one.code] == (*rgb(one.colour), 255)
            for sample in samples:
                window = raster.window(*sample.bounds)
                assert np.array_equal(raster.read(window=window), made.masks[str(sample.id)])
        names = ET.parse(home / "landcover.vrt").findall("VRTRasterBand[1]/CategoryNames/Category")  # noqa: S314 - our own
        assert [one.text for one in names][:3] == [None, "Water", "Artificial Bareground"]
    assert info.product("s2").slots == 3


def test_a_missing_chip_is_in_no_mosaic(made: Made) -> None:
    there = FinishedCorpus.open(str(made.folder))
    tile, samples = next(iter(there.tiles.items()))
    text = (made.folder / "qgis" / tile.replace("_", "/", 1) / "s2_2018-02.vrt").read_text("utf-8")
    missing = next(str(one.id) for one in samples if not made.series[str(one.id)][1].any())
    assert missing not in text
    assert text.count("<SimpleSource>") == 4 * (len(samples) - 1)


def test_a_project_shows_files_of_the_corpus_and_is_part_of_it(made: Made) -> None:
    root = _document(made.folder)
    sources = [layer.findtext("datasource") or "" for layer in root.iter("maplayer")]
    assert len(sources) == 1 + 2 * (3 + 1)
    for source in sources:
        assert (made.folder / source.removeprefix("/vsigzip/")).is_file()
    ids = [layer.findtext("id") or "" for layer in root.iter("maplayer")]
    assert [one.get("id") for one in root.iter("layer-tree-layer")] == ids
    assert min(map(len, ids)) > 10  # QGIS takes shorter ones for none
    shown = [one.get("id") for one in root.iter("layer-tree-layer") if one.get("checked") == "Qt::Checked"]
    assert shown == ["sample_outlines", *(f"mosaic_s2_2018-02_{tile}" for tile in sorted(set(_tiles(made))))]
    found = [str(one) for one in validate(LocalStore(made.folder))]
    assert not [one for one in found if "qgis" in one or PROJECT in one]
    listed = {entry.path for entry in PublishedFiles(LocalStore(made.folder)).loose.values()}
    assert {PROJECT, "qgis/s2.qml", "qgis/landcover.qml"} <= listed


def _tiles(made: Made) -> list[str]:
    return list(FinishedCorpus.open(str(made.folder)).tiles)


def test_styles_say_stretch_and_classes(made: Made) -> None:
    natural = ET.parse(made.folder / "qgis" / "s2.qml").getroot()  # noqa: S314 - our own
    renderer = natural.find("pipe/rasterrenderer")
    assert renderer is not None
    assert [renderer.get(f"{one}Band") for one in ("red", "green", "blue")] == ["3", "2", "1"]
    assert renderer.findtext("redContrastEnhancement/maxValue") == "0.25"
    brightness = natural.find("pipe/brightnesscontrast")
    assert brightness is not None
    assert brightness.get("gamma") == "1.6"
    classes = ET.parse(made.folder / "qgis" / "landcover.qml").getroot()  # noqa: S314 - our own
    entries = [(one.get("value"), one.get("label"), one.get("color")) for one in classes.iter("paletteEntry")]
    wanted = class_rendering(taxonomy("landcovernet")).classes
    assert entries == [(str(one.code), one.name, one.colour) for one in wanted]


def test_the_same_corpus_gives_the_same_project(made: Made, tmp_path: Path) -> None:
    again = published(tmp_path / "other" / "corpus")
    assert (again.folder / PROJECT).read_bytes() == (made.folder / PROJECT).read_bytes()
    with zipfile.ZipFile(io.BytesIO((made.folder / PROJECT).read_bytes())) as archive:
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)


def test_a_corpus_of_cubes_alone_has_mosaics_of_its_label_rasters(tmp_path: Path) -> None:
    folder = published(tmp_path / "corpus", layouts=("cubes",)).folder
    names = {path.name for path in (folder / "qgis").rglob("*") if path.is_file()}
    assert names == {"landcover.vrt", "landcover.qml"}
    assert len([*_document(folder).iter("maplayer")]) == 3


def test_a_large_corpus_has_some_mosaics(made: Made) -> None:
    names = [f"33N_{east:02d}E-243N" for east in range(1, 400)]
    shown = Shown.of(made.info, names)
    assert len(shown.tiles) * 4 <= MOST < (len(shown.tiles) + 1) * 4
    assert shown.every == 1
    assert set(shown.tiles) <= set(names)
    there = FinishedCorpus.open(str(made.folder))
    tile, samples = next(iter(there.tiles.items()))
    content = tile_content(there.info, tile, samples, there.exists()[tile], [*there.data(tile)], there.store.get)
    steps = [one.timestep for one, _ in tile_mosaics(there.info, content, Hrefs().between, 2)]
    assert steps == ["2018-01", "2018-03", None]
