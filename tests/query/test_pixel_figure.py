"""Pictures and numbers of a pixel's series: formats, bands, sizes, and the same bytes again."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.query.corpus import Corpus
from landloom.query.pixel_figure import Observations, pixel_csv, pixel_figure, write_picture
from landloom.query.pixel_series import SampleSeries

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.query.pixel_series import PixelSeries


@pytest.fixture(scope="module")
def series(fused: Path) -> PixelSeries:
    corpus = Corpus.open(fused / "corpus")
    return SampleSeries.read(corpus, corpus.query().ids[0]).pixel(12, 40)


@pytest.fixture(scope="module")
def seen(series: PixelSeries) -> Observations:
    clear = np.arange(len(series.times)) % 3 > 0
    return Observations(
        times=series.times,
        scenes=tuple(f"scene {n}" for n in range(len(series.times))),
        values=np.where(clear[:, None], series.values + 0.01, 0.9),
        clear=clear,
        second=np.zeros_like(clear),
    )


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_pictures_are_the_same_bytes_again(
    series: PixelSeries, seen: Observations, tmp_path: Path, ending: str, magic: bytes
) -> None:
    for name in ("a", "b"):
        write_picture(pixel_figure(series, seen), tmp_path / f"{name}.{ending}")
    made = (tmp_path / f"a.{ending}").read_bytes()
    assert made.startswith(magic)
    assert made == (tmp_path / f"b.{ending}").read_bytes()


def test_a_panel_per_band_and_one_of_quality(series: PixelSeries) -> None:
    assert [axes.get_ylabel() for axes in pixel_figure(series).axes] == [*series.bands, "% synthetic"]
    assert [axes.get_ylabel() for axes in pixel_figure(series, bands=["nir"]).axes] == ["nir", "% synthetic"]
    counted = replace(series, quality={"count": np.ones(13)}, sigma=None, overpasses={})
    assert pixel_figure(counted).axes[-1].get_ylabel() == "count"
    bare = replace(series, quality={}, sigma=None, overpasses={})
    assert [axes.get_ylabel() for axes in pixel_figure(bare).axes] == list(series.bands)


def test_clouds_do_not_stretch_a_panel(series: PixelSeries, seen: Observations) -> None:
    """Masked observations, at 0.9, lie at the edge; clear ones are always within."""
    for n, axes in enumerate(pixel_figure(series, seen).axes[:-1]):
        low, high = axes.get_ylim()
        assert high < 0.6
        assert low <= seen.values[seen.clear, n].min() <= seen.values[seen.clear, n].max() <= high


def test_a_series_of_nothing_is_drawn(series: PixelSeries, tmp_path: Path) -> None:
    nothing = np.full_like(series.values, np.nan)
    layers = {name: np.full(len(series.times), np.nan) for name in series.quality}
    blank = replace(series, values=nothing, sigma=nothing, quality=layers, overpasses={})
    write_picture(pixel_figure(blank, width=3), tmp_path / "blank.png")
    assert (tmp_path / "blank.png").stat().st_size > 1_000


def test_numbers_have_a_row_per_timestep_and_observation(series: PixelSeries, seen: Observations) -> None:
    rows = list(csv.DictReader(io.StringIO(pixel_csv(series, seen))))
    assert [row["kind"] for row in rows] == ["series"] * 13 + ["observation"] * 13
    first, other = rows[0], rows[13]
    assert float(first["nir"]) == pytest.approx(series.values[0, 3])
    assert series.sigma is not None
    assert float(first["nir_sigma"]) == pytest.approx(series.sigma[0, 3])
    assert (first["synthetic"], first["observed"]) == ("0", "True")
    assert first["scenes"].startswith("S2")
    assert (other["observed"], other["scenes"], other["synthetic"]) == ("False", "scene 0", "")
    assert len(pixel_csv(series).splitlines()) == 14
