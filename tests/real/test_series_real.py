"""A real dense series becomes one corpus: 68 acquisitions in three years, two of them on one day, each with its mask.

The archive holds NDVI and not the bands that it is made of: it stands in for B08, stored as 1 + 5,000 × (1 + NDVI).
Masks are Sen2Cor's classes where there are any, and s2cloudless's otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.slovenia import CLEAR, read_acquisitions, read_grid, recipe, write_archive

from landloom.corpus.audit.validate import audit
from landloom.corpus.finished import FinishedCorpus
from landloom.formats.geotiff import decode_geotiff
from landloom.pipelines.build import build
from landloom.publication.sample_files import export_samples

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from tests.slovenia import Acquisitions

    from landloom.model.grid import Grid

SEASONS = {
    2016: {"start": "2015-10-01", "end": "2016-10-01"},
    2017: {"start": "2016-10-01", "end": "2017-10-01"},
}


@pytest.fixture(scope="module")
def acquisitions(shared_data: Path) -> Acquisitions:
    return read_acquisitions(shared_data)


@pytest.fixture(scope="module")
def grid(shared_data: Path) -> Grid:
    return read_grid(shared_data)


@pytest.fixture(scope="module")
def archive(acquisitions: Acquisitions, grid: Grid, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(acquisitions, grid, tmp_path_factory.mktemp("slovenia"))


def nearest(array: NDArray[Any], source: Grid, target: Grid) -> NDArray[Any]:
    """The pixel that each target pixel's centre lies in, 0 outside: worked out here anew."""
    rows = np.floor((source.north - (target.north - 10 * (np.arange(target.height) + 0.5))) / source.pixel_height)
    columns = np.floor((target.west + 10 * (np.arange(target.width) + 0.5) - source.west) / source.pixel_width)
    padded = np.pad(array, 1)
    rows, columns = (np.clip(x.astype(int), -1, n) + 1 for x, n in ((rows, source.height), (columns, source.width)))
    return padded[np.ix_(rows, columns)]


def test_68_dates_with_their_masks_become_one_corpus(
    archive: Path, grid: Grid, acquisitions: Acquisitions, tmp_path: Path
) -> None:
    folder = recipe(tmp_path, archive, grid)
    build(folder)
    there = FinishedCorpus.open(str(folder / "corpus"))
    assert audit(there.store, digests=True).problems == ()
    item = there.info.product("s2_10m")
    names = [step.name for step in item.timesteps]
    assert len(names) == 68
    assert [name for name in names if name.startswith("2015-12-08")] == ["2015-12-08T100409", "2015-12-08T101125"]
    compared = 0
    for samples in there.tiles.values():
        for sample in samples:
            own = sample.grid(10)
            for step, (numbers, classes) in zip(item.timesteps, acquisitions.values(), strict=True):
                key = there.info.layout.chip(sample.id, item.product, step.name)
                want = nearest(numbers, grid, own)
                np.testing.assert_array_equal(decode_geotiff(there.store.get(key))[0][0], want)
                mask = decode_geotiff(there.store.get(key.replace("S2-10M", "S2-VALID")))[0][0]
                clear = np.isin(nearest(classes, grid, own), CLEAR)
                np.testing.assert_array_equal(mask.astype(bool), clear & (want > 0))
                compared += int(clear.sum())
    assert compared > 100_000


def test_seasons_of_the_real_series_cross_new_year(archive: Path, grid: Grid, tmp_path: Path) -> None:
    folder = recipe(tmp_path, archive, grid, seasons=SEASONS)
    build(folder)
    report = export_samples(str(folder / "corpus"), tmp_path / "npz", "npz")
    assert report.files > 0
    counts = {}
    for path in sorted((tmp_path / "npz").glob("*.npz")):
        one = np.load(path, allow_pickle=False)
        season = SEASONS[int(one["year"])]
        dates = one["datetime"].tolist()
        assert dates == sorted(dates)
        assert all(season["start"] <= date < season["end"] for date in dates)
        assert {int(date[:4]) for date in dates} == {int(one["year"]) - 1, int(one["year"])}
        assert one["years"].tolist() == [int(date[:4]) for date in dates]
        counts[int(one["year"])] = len(dates)
    assert counts == {2016: 22, 2017: 30}
