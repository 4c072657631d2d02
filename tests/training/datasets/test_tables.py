"""Tables of series against means by numpy, of samples, parcels and pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.query.corpus import Corpus
from landloom.training.datasets.tables import series_table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpora import Made


def masked(numbers: np.ndarray) -> np.ma.MaskedArray[Any, Any]:
    """(month, band, y, x) reflectance, masked where a pixel is not valid."""
    valid = ((numbers != 0) & (numbers != 65_535)).all(axis=1)
    return np.ma.masked_array(numbers / 10_000, mask=~np.broadcast_to(valid[:, None], numbers.shape))


def test_samples_are_means_over_valid_pixels(made: Made, corpus: Corpus) -> None:
    table = series_table(corpus.query(), "s2", "label:labels", bands=["B08", "B04"])
    wanted = np.ma.stack([masked(made.series[name]).mean(axis=(2, 3))[:, [1, 0]] for name in made.ids])
    np.testing.assert_allclose(table.series, wanted.filled(0), rtol=1e-5)
    np.testing.assert_array_equal(table.valid, ~np.ma.getmaskarray(wanted)[:, :, 0])
    assert table.ids == made.ids
    assert table.names[:3] == ("B08 2018-01", "B04 2018-01", "B08 2018-02")
    assert np.isnan(table.features[0, 2:4]).all()
    assert table.label is not None
    assert [table.classes[one] for one in table.label] == [
        f"clc_{('211', '311', '512')[[made.shares[name][i] for i in _places()].index(made.shares[name][:-1].max())]}"
        for name in made.ids
    ]
    assert table.arrow().column("label").to_pylist()[0] in ("clc_211", "clc_311", "clc_512")


def _places() -> list[int]:
    from landloom.model.taxonomy import taxonomy

    return [taxonomy("clc").index[code] for code in ("211", "311", "512")]


def test_pixels_are_those_of_the_image(made: Made, corpus: Corpus) -> None:
    table = series_table(corpus.query(), "s2", "mask", unit="pixel", pixels=7, seed=3)
    assert len(table) == 7 * 12
    assert table.label is not None
    for row in range(0, len(table), 5):
        name, (y, x) = table.ids[row], divmod(int(table.parts[row]), 60)
        numbers = masked(made.series[name])[:, :, y, x]
        np.testing.assert_allclose(table.series[row], numbers.filled(0), rtol=1e-5)
        code, confidence = made.masks[name][:, y, x]
        assert table.label[row] == code - 1
        assert table.weight[row] == np.float32(confidence / 100)
    again = series_table(corpus.query(), "s2", "mask", unit="pixel", pixels=7, seed=3, threads=1)
    np.testing.assert_array_equal(again.parts, table.parts)
    other = series_table(corpus.query(), "s2", "mask", unit="pixel", pixels=7, seed=4)
    assert (other.parts != table.parts).any()


def test_parcels_are_means_of_their_pixels(made: Made, corpus: Corpus) -> None:
    """The land cover codes serve as ids of parcels."""
    table = series_table(corpus.query(), "s2", "mask", unit="parcel", parcels="landcover")
    for row in range(len(table)):
        layer, confidence = made.masks[table.ids[row]]
        own = layer == table.parts[row]
        wanted = masked(made.series[table.ids[row]])[:, :, own].mean(axis=2)
        np.testing.assert_allclose(table.series[row], wanted.filled(0), rtol=1e-5)
        assert table.pixels[row] == own.sum()
        assert table.label is not None
        assert table.label[row] == table.parts[row] - 1
        assert table.weight[row] == pytest.approx(confidence[own].mean() / 100)
    assert len(table) == 12 * 3


def test_dates_of_their_own_are_padded(tmp_path: Path) -> None:
    from tests.chips import write_world

    world = write_world(tmp_path / "corpus", side=30, scenes=3, chips=1)
    corpus = Corpus.open(world.folder, cache=tmp_path / "cache")
    table = series_table(corpus.query(), "s2_scenes", "fractions:guess")
    assert table.steps == ("0", "1", "2")
    assert table.dates.tolist() == [[day.toordinal() - 719_163 for day in world.dates[name]] for name in table.ids]
    assert table.fractions is not None
    np.testing.assert_allclose(table.fractions.sum(axis=1), 1, rtol=1e-5)


def test_what_cannot_be_had_is_said(corpus: Corpus) -> None:
    chosen = corpus.query()
    for options in ({"unit": "pixel", "target": "label:labels"}, {"target": "mask"}, {"unit": "field"}):
        arguments: Any = options
        with pytest.raises(InvalidInputError):
            series_table(chosen, "s2", **arguments)
    with pytest.raises(NotFoundError):
        series_table(chosen, "s2", unit="parcel")
