"""Bad input to whole builds of fused series: each has a clear end, and a corpus is whole or not there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from tests.products.fused.test_kind import chips
from tests.products.fused.tiles import truth
from tests.projects import TERMS

from landloom.corpus.finished import FinishedCorpus
from landloom.corpus.lineage import read_lineage
from landloom.errors import InvalidInputError, LandloomError
from landloom.formats.geotiff import encode_geotiff
from landloom.imagery.fusion.quality import QUALITY_NODATA
from landloom.model.grid import Grid
from landloom.model.shapes import reproject
from landloom.pipelines.build import build

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.web import FaultyServer

BANDS = [{"name": name, "common_name": name} for name in ("blue", "green", "red", "nir")]
OFF, SNOW, ODD = 10, 15, 20
"""Days of the scenes that lie 5 pixels off, that are saturated, and whose mask has unknown values."""


def sensor(name: str) -> dict[str, Any]:
    mask = {"name": "mask", "clear": [1], "cloudy": [0]}
    return {"name": name, "resolution": 20, "scale": 0.0001, "bands": BANDS, "mask": mask}


@pytest.fixture
def recipe(fused: Path, tmp_path: Path) -> Callable[..., Path]:
    """A recipe on folders of files; the samples are those of the fused corpus."""

    def write(days: tuple[int, ...], second: str | None = None, pattern: str = "{date}.tif") -> Path:
        document = yaml.safe_load((fused / "landloom.yaml").read_text(encoding="utf-8"))
        (tmp_path / "archive").symlink_to(fused / "archive")
        del document["archive"]
        places = {"first": "first"} | ({} if second is None else {"more": "second"})
        document["archives"] = {
            name: {"kind": "files", "href": folder, "pattern": pattern, "own_sensor": sensor(name)}
            for name, folder in places.items()
        }
        section = {"kind": "fused", "terms": TERMS, "archive": "first", "resolution": 20}
        document["products"] = {"pfsr": section | ({} if second is None else {"second": second})}
        (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        grid = around(fused / "corpus")
        for day in days:
            scene(tmp_path / "first", f"2018-06-{day + 1:02d}", day, grid)
        scene(tmp_path / "second", "2017-06-01", 0, grid)
        return tmp_path

    return write


def around(corpus: Path) -> Grid:
    """A grid of scenes that cover all samples."""
    tiles = FinishedCorpus.open(str(corpus)).tiles
    shapes = [one.footprint for samples in tiles.values() for one in samples]
    boxes = np.array([reproject(one, 4326, 32633, tolerance=1.0).bounds for one in shapes])
    west, south = (boxes[:, :2].min(axis=0) // 20 * 20 - 800).tolist()
    east, north = (boxes[:, 2:].max(axis=0) // 20 * 20 + 800).tolist()
    return Grid.of_bounds(32633, (west, south, east, north), 20)


def scene(folder: Path, date: str, day: int, grid: Grid) -> None:
    """A file with four bands and a mask."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(day)
    ground = np.random.default_rng(99).uniform(0.7, 1.3, grid.shape)
    values = truth(np.array([float(day)]), grid)[0] * ground + rng.normal(0, 30, (4, *grid.shape))
    bands, mask = np.rint(values).clip(1, 65_534).astype(np.uint16), np.ones(grid.shape, np.uint16)
    if day == SNOW:
        bands[:, : grid.height // 2] = 65_535
    if day == ODD:
        mask[:, : grid.width // 2] = 7
    west, south, east, north = grid.bounds
    placed = grid if day != OFF else Grid.of_bounds(grid.epsg, (west + 100, south + 100, east + 100, north + 100), 20)
    names = [one["name"] for one in BANDS] + ["mask"]
    (folder / f"{date}.tif").write_bytes(
        encode_geotiff(np.concatenate([bands, mask[None]]), placed, nodata=0, bands=names)
    )


def test_odd_scenes_are_named_and_a_second_sensor_without_any_is_noted(recipe: Callable[..., Path]) -> None:
    folder = recipe((0, 5, OFF, SNOW, ODD, 25, 29), second="more")
    (folder / "first" / "IMG_0001.tif").write_bytes(b"no raster")
    result = build(folder)
    told, report = "\n".join(result.notes), (result.corpus / "report.html").read_text(encoding="utf-8")
    assert "IMG_0001.tif: does not match {date}.tif: left out" in told
    for one in (told, report):
        assert "no scene of the second sensor shows the tile clearly" in one
    series = chips(result.corpus, "PF-SR")
    assert all(0 < one.min() <= one.max() < 16_000 for one in series.values())
    masks: dict[str, str] = {}
    shifts = []
    for path in result.corpus.glob("lineage/*/*/PF-SR.json"):
        for step in read_lineage(path.read_bytes())[2].timesteps:
            shifts += [one.shift for one in step.scenes if one.id == "2018-06-11"]
            masks |= {name: " ".join(one.values()) for name, one in (step.masks or {}).items()}
    assert "unknown values 7 are not usable" in masks["2018-06-21"]
    assert shifts
    assert all(one is not None and one.windows and not one.corrected for one in shifts)
    codes = {name: chip[3] for name, chip in chips(result.corpus, "PF-QA").items()}
    assert all((one != QUALITY_NODATA).all() for one in codes.values())


def test_fewer_than_three_dates_are_noted(recipe: Callable[..., Path]) -> None:
    result = build(recipe((0, 25)))
    for told in ("\n".join(result.notes), (result.corpus / "report.html").read_text(encoding="utf-8")):
        assert "pixels with fewer than 3 clear observations" in told
    assert all(one.min() > 0 for one in chips(result.corpus, "PF-SR").values())


def test_a_reference_without_any_scene_ends_the_build(recipe: Callable[..., Path]) -> None:
    folder = recipe(())
    scene(folder / "first", "2017-06-01", 0, Grid.of_bounds(32633, (300_000, 5_550_000, 302_000, 5_552_000), 20))
    with pytest.raises(InvalidInputError, match="the archive has no scene of any sample in 2018-06-01"):
        build(folder)
    assert not (folder / "corpus" / "corpus.json").exists()


def test_names_that_do_not_match_end_the_build(recipe: Callable[..., Path]) -> None:
    with pytest.raises(LandloomError, match=r"no file matches S2_\{date\}\.tif: got 2018-06-01\.tif"):
        build(recipe((0,), pattern="S2_{date}.tif"))


def test_an_archive_that_dies_half_way_is_continued(fused: Path, faulty: FaultyServer, tmp_path: Path) -> None:
    document = yaml.safe_load((fused / "landloom.yaml").read_text(encoding="utf-8"))
    (tmp_path / "archive").symlink_to(fused / "archive")
    document["archive"] = {"kind": "static", "href": f"{faulty.address}/archive/catalog.json"}
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    documents = len(list((fused / "archive").resolve().rglob("*.json")))
    faulty.fail(after=documents + 40, status=403)
    with pytest.raises(LandloomError, match="403"):
        build(tmp_path)
    assert not (tmp_path / "corpus" / "corpus.json").exists()
    faulty.heal()
    again = chips(build(tmp_path).corpus, "PF-SR")
    for name, chip in chips(fused / "corpus", "PF-SR").items():
        np.testing.assert_array_equal(again[name], chip)
