"""A guess of the real land use of a square kilometre in Slovenia from its NDVI, and LandCoverNet's own tables."""

from __future__ import annotations

import csv
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import rasterio

from landloom.imagery.fill import fill_periodic
from landloom.labels.guess.model import GuessSettings, train
from landloom.labels.guess.scores import Scores
from landloom.labels.guess.training_pixels import draw_pixels
from landloom.model.ids import ChipId
from landloom.model.taxonomy import taxonomy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


def series(folder: Path) -> NDArray[np.uint16]:
    """(time, 1, y, x) NDVI of 68 dates as 10,000 × (NDVI + 1), clouds masked, filled over the year."""
    with (folder / "timestamps.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    stack, valid, days = [], [], []
    for row in rows:
        stem = row["stem"]
        with rasterio.open(folder / "ndvi" / f"NDVI_{stem}.tif") as ndvi:
            stack.append(np.clip((ndvi.read(1) + 1) * 10_000, 1, 65_534).astype(np.uint16))
        with rasterio.open(folder / "clm" / f"CLM_{stem}.tif") as clouds:
            valid.append(clouds.read(1) == 0)
        days.append(datetime.fromisoformat(row["datetime"]).timetuple().tm_yday)
    return fill_periodic(np.stack(stack)[:, None], np.stack(valid), np.array(days, np.float64), 365.0)


def test_land_use_is_guessed_on_blocks_apart(
    shared_data: Path, record_testsuite_property: Callable[[str, object], None]
) -> None:
    folder = shared_data / "s2_eolearn_slovenia"
    stack = series(folder)
    with rasterio.open(folder / "lulc" / "LULC.tif") as file:
        target = file.read(1).astype(np.uint8)
    height, width = target.shape
    pixels = stack.reshape(len(stack), -1)
    parts, guesses = [], []
    for top in range(0, height - 20, 40):
        for left in range(0, width - 20, 40):
            usable = target > 0
            usable[max(top - 3, 0) : top + 23, max(left - 3, 0) : left + 23] = False
            picked = draw_pixels(target, usable, 2_000, seed=1, least=20)
            model = train(
                np.ascontiguousarray(pixels[:, picked].T), target.reshape(-1)[picked], GuessSettings(trees=30), seed=1
            )
            window = np.s_[top : top + 20, left : left + 20]
            found = model.predict(np.ascontiguousarray(stack[:, :, *window])).labels
            known = np.where(np.isin(target[window], model.classes), target[window], 0).astype(np.uint8)
            parts.append(Scores.of(known, found))
            common = np.bincount(target.reshape(-1)[picked]).argmax()
            guesses.append(Scores.of(known, np.full_like(known, common)))
    ours, most = Scores.total(parts), Scores.total(guesses)
    by_class = " ".join(f"{code}:{share:.3f}" for code, share in ours.producers.items())
    report = f"{ours.accuracy:.3f} of {ours.pixels} pixels, the commonest class {most.accuracy:.3f}; {by_class}"
    record_testsuite_property("slovenia-land-use", report)
    assert ours.pixels > 2_000
    assert ours.accuracy > most.accuracy + 0.1


def test_class_names_and_their_order_are_those_of_landcovernet(shared_data: Path) -> None:
    names = [one.name.replace("No data", "No Data") for one in taxonomy("landcovernet").classes]
    for table in ("region_label_freq.csv", "region_label_conf_avg.csv"):
        with (shared_data / "landcovernet_eu" / table).open(newline="") as file:
            header = next(csv.reader(file))
        assert header == ["identifier", *names]


def test_a_chip_of_the_published_corpus_has_as_many_pixels_as_ours(shared_data: Path) -> None:
    with (shared_data / "landcovernet_eu" / "region_label_freq.csv").open(newline="") as file:
        rows = list(csv.reader(file))[1:]
    assert {sum(map(int, row[1:])) for row in rows} == {256 * 256}
    assert {str(ChipId.parse(row[0])) for row in rows} == {row[0] for row in rows}
