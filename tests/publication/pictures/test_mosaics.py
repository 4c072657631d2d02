"""Mosaics beside a corpus, read by GDAL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
from tests.qgis import published

from landloom.errors import ForeignCorpusError, InvalidInputError
from landloom.publication.pictures.mosaics import export_mosaics

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpora import Made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return published(tmp_path_factory.mktemp("mosaics") / "corpus")


def test_every_tile_product_and_timestep_has_a_mosaic_that_moves_with_the_corpus(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "vrt"
    done = export_mosaics(str(made.folder), out)
    assert (done.mosaics, done.tiles) == (2 * (3 + 1), 2)
    names = ["33N", "34N", "landcover.qml", "landloom_export.json", "s2.qml"]
    assert sorted(path.name for path in out.iterdir()) == names
    assert done.size == sum(path.stat().st_size for path in out.rglob("*.vrt"))
    name = made.ids[-1]
    with rasterio.open(out / "34N" / "24E-241N" / "s2_2018-01.vrt") as raster:
        total = raster.read()
    wanted = sum(series[0].astype(np.int64).sum() for one, series in made.series.items() if one[:3] == name[:3])
    assert total.astype(np.int64).sum() == wanted
    assert export_mosaics(str(made.folder), out) == done  # again, over its own files


def test_what_cannot_be_written_is_refused(made: Made, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ForeignCorpusError, match="something else"):
        export_mosaics(str(made.folder), tmp_path)
    with pytest.raises(InvalidInputError, match="expected a folder, or an address"):
        export_mosaics("memory://x", tmp_path / "out")
