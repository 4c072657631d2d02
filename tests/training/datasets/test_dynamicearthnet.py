"""Months of DynamicEarthNet, from a small folder of the true shape: pixels, labels, windows and scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from landloom.errors import InvalidInputError, NotFoundError, PermanentFaultError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.grid import Grid
from landloom.training.datasets.collate import collate
from landloom.training.datasets.dynamicearthnet import DynamicEarthNet

if TYPE_CHECKING:
    from pathlib import Path

SIDE = 16
GRID = Grid.of_bounds(32610, (552_000.0, 4_512_000.0, 552_048.0, 4_512_048.0), 3)
DAYS = ("2018-01-01", "2018-01-05", "2018-01-07", "2018-02-01")


@dataclass(frozen=True)
class Written:
    folder: Path
    images: dict[str, np.ndarray]
    labels: np.ndarray
    """(month, y, x) 0 to 6."""


@pytest.fixture
def written(tmp_path: Path) -> Written:
    rng = np.random.default_rng(0)
    folder = tmp_path / "den"
    images = folder / "planet/10N/23E-188N/1311_3077_13/PF-SR"
    labels = folder / "labels/1311_3077_13_10N/Labels/Raster/10N-122W-40N-L3H-SR"
    for one in (images, labels, folder / "dynnet_training_splits"):
        one.mkdir(parents=True)
    numbers = {day: rng.integers(1, 4000, (4, SIDE, SIDE)).astype(np.uint16) for day in DAYS}
    for day, array in numbers.items():
        array[2, 3, 4] = 0
        (images / f"{day}.tif").write_bytes(encode_geotiff(array, GRID, nodata=0))
    truth = rng.integers(0, 7, (2, SIDE, SIDE))
    for month, classes in enumerate(truth, 1):
        marked = ((np.arange(7)[:, None, None] == classes) * 255).astype(np.uint8)
        marked[:, 0, 0], marked[:2, 0, 1] = 0, 255
        (labels / f"10N-122W-40N-L3H-SR-2018_{month:02d}_01.tif").write_bytes(encode_geotiff(marked, GRID))
    lines = [f"/planet/10N/23E-188N/1311_3077_13/PF-SR /labels/x.tif 2018-{month}\n" for month in ("02", "03")]
    (folder / "dynnet_training_splits" / "val.txt").write_text("".join(lines))
    return Written(folder, numbers, truth)


def expected_mask(classes: np.ndarray, *, snow: bool = False) -> np.ndarray:
    mask = np.where(classes < (7 if snow else 6), classes, -1)
    mask[..., 0, 0] = mask[..., 0, 1] = -1
    return mask


@pytest.mark.parametrize(("days", "read"), [("single", DAYS[:1]), ("weekly", DAYS[:2]), ("daily", DAYS[:3])])
def test_samples_are_months(written: Written, days: Any, read: tuple[str, ...]) -> None:
    dataset = DynamicEarthNet(written.folder, days=days)
    assert len(dataset) == 2
    sample = dataset[0]
    stored = np.stack([written.images[day] for day in read])
    valid = (stored != 0).all(axis=1)
    np.testing.assert_array_equal(sample["valid"].numpy(), valid)
    np.testing.assert_allclose(sample["image"].numpy(), np.where(valid[:, None], stored, 0) / 10_000, rtol=1e-6)
    assert sample["dates"].tolist() == np.array(read, "M8[D]").astype(int).tolist()
    np.testing.assert_array_equal(sample["mask"].numpy(), expected_mask(written.labels[0]))
    np.testing.assert_array_equal(sample["weight"].numpy(), sample["mask"].numpy() >= 0)
    assert (sample["id"], sample["crs"]) == ("1311_3077_13/2018-01", "EPSG:32610")
    assert sample["bounds"].tolist() == [552_000, 4_512_000, 552_048, 4_512_048]
    batch = next(iter(DataLoader(dataset, batch_size=2, collate_fn=collate)))
    assert batch["image"].shape == (2, len(read), 4, SIDE, SIDE)
    assert batch["length"].tolist() == [len(read), 1]
    snowy = DynamicEarthNet(written.folder, snow=True)
    assert snowy.classes[-1] == "snow and ice"
    np.testing.assert_array_equal(snowy[1]["mask"].numpy(), expected_mask(written.labels[1], snow=True))


def test_splits_and_windows(written: Written) -> None:
    dataset = DynamicEarthNet(written.folder, "val", crop=8, crop_at="grid")
    assert dataset.months == (("1311_3077_13", "2018-02"),)
    assert dataset.left_out == {"1311_3077_13/2018-03": "has no label"}
    assert len(dataset) == 4
    np.testing.assert_array_equal(dataset[1]["mask"].numpy(), expected_mask(written.labels[1])[:8, 8:])
    assert dataset[3]["bounds"].tolist() == [552_024, 4_512_000, 552_048, 4_512_024]
    drawn = DynamicEarthNet(written.folder, "val", crop=4, seed=3)
    first, again = drawn[0], drawn[0]
    assert torch.equal(first["bounds"], again["bounds"])
    drawn.set_epoch(1)
    assert not torch.equal(first["bounds"], drawn[0]["bounds"])
    with pytest.raises(NotFoundError, match="val"):
        DynamicEarthNet(written.folder, "test")
    with pytest.raises(NotFoundError, match="weekly"):
        DynamicEarthNet(written.folder, days="hourly")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="has 16 × 16"):
        DynamicEarthNet(written.folder, crop=17)


def test_the_score_of_change(written: Written) -> None:
    """The truth scores one; where nothing ever changes, no change is found, and every class is that before."""
    dataset = DynamicEarthNet(written.folder)
    months, truth = dataset.truth("1311_3077_13")
    assert months == ("2018-01", "2018-02")
    np.testing.assert_array_equal(truth, expected_mask(written.labels))
    assert dataset.score({"1311_3077_13": np.maximum(truth, 0)}).score == 1.0
    still = np.maximum(np.stack([truth[0], truth[0]]), 0)
    found = dataset.score({"1311_3077_13": still})
    assert (found.binary, found.semantic, found.score) == (0.0, 0.0, 0.0)
    with pytest.raises(InvalidInputError, match="no maps of area 1311_3077_13"):
        dataset.score({})
    with pytest.raises(NotFoundError, match="1311_3077_13"):
        dataset.truth("1311_3077_14")


def test_files_that_do_not_fit_are_named(written: Written) -> None:
    (label,) = written.folder.glob("labels/**/*2018_02_01.tif")
    (image,) = written.folder.glob("planet/**/2018-01-05.tif")
    label.write_bytes(encode_geotiff(np.zeros((6, SIDE, SIDE), np.uint8), GRID))
    with pytest.raises(PermanentFaultError, match=r"2018_02_01\.tif: got 6 bands"):
        DynamicEarthNet(written.folder)[1]
    image.write_bytes(b"II*\0broken")
    with pytest.raises(PermanentFaultError, match=r"2018-01-05\.tif: cannot be read"):
        DynamicEarthNet(written.folder)[0]
    for path in written.folder.glob("planet/**/2018-*.tif"):
        path.unlink()
    (written.folder / "planet/10N/23E-188N/1311_3077_13/PF-SR/2019-01-01.tif").write_bytes(
        encode_geotiff(written.images[DAYS[0]], GRID)
    )
    with pytest.raises(InvalidInputError, match="2018-01 has no image"):
        DynamicEarthNet(written.folder)
