"""One file a sample, as training code of the published system reads it: what is in them is what the corpus holds."""

from __future__ import annotations

import csv
import io
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.projects import load

from landloom.corpus.finished import FinishedCorpus
from landloom.errors import ForeignCorpusError, InvalidInputError, InvalidValueError
from landloom.formats.geotiff import decode_geotiff
from landloom.model.time import parse_instant
from landloom.publication.layouts import export
from landloom.publication.sample_files import INDEX, Purity, clearest, encode_sample, export_samples, labelled

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def corpus(series: Path) -> Path:
    return series / "corpus"


def test_pickles_are_as_published(corpus: Path, tmp_path: Path) -> None:
    report = export_samples(str(corpus), tmp_path / "pickles")
    there = FinishedCorpus.open(str(corpus))
    samples = [sample for part in there.tiles.values() for sample in part]
    assert report.files == len(samples)
    west, _, _, north = samples[0].bounds
    loaded = load(tmp_path / "pickles" / f"{north:.0f}_{west:.0f}_2018.pickle")
    count = len(loaded["doy"])
    assert loaded["B02"].shape == (count, 24, 24)
    assert loaded["B11"].shape == (count, 12, 12)
    assert loaded["B09"].shape == (count, 4, 4)
    assert {array.shape for array in (loaded[key] for key in ("labels", "ids", "masks", "ratios", "distances"))} == {
        (24, 24)
    }
    assert loaded["year"] == 2018
    assert (np.diff(loaded["doy"]) > 0).all()
    assert not np.isnan(loaded["distances"]).any()
    stamps = [parse_instant(text) for text in loaded["datetime"].tolist()]
    assert [stamp.timetuple().tm_yday for stamp in stamps] == loaded["doy"].tolist()
    assert all(name.startswith("S2") for name in loaded["product_ids"].tolist())
    assert (tmp_path / "pickles" / INDEX).read_text().count(",ok,") == len(samples)
    one = np.load(next(iter(_npz(corpus, tmp_path))), allow_pickle=False)
    assert len(one["doy"]) == 1


def _npz(corpus: Path, folder: Path) -> list[Path]:
    export_samples(str(corpus), folder / "npz", "npz", single_image="least-cloudy")
    return sorted((folder / "npz").glob("*.npz"))


def test_arrays_are_the_chips_and_layers_in_either_layout(corpus: Path, tmp_path: Path) -> None:
    export(str(corpus), tmp_path / "chips", ["chips"])
    export_samples(str(corpus), tmp_path / "one", "npz")
    export_samples(str(tmp_path / "chips"), tmp_path / "other", "npz")
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "other").iterdir())
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes() for name in names)
    there = FinishedCorpus.open(str(corpus))
    sample = next(iter(there.tiles.values()))[7]
    files = (np.load(path, allow_pickle=False) for path in (tmp_path / "one").glob("*.npz"))
    loaded = next(one for one in files if str(one["sample"]) == str(sample.id))
    item = there.info.product("s2_10m")
    for place, text in enumerate(loaded["datetime"].tolist()):
        step = next(step for step in item.timesteps if step.stamp == parse_instant(text))
        chip = decode_geotiff(there.store.get(there.info.layout.chip(sample.id, item.product, step.name)))[0]
        for band, array in zip(item.product.bands, chip, strict=True):
            np.testing.assert_array_equal(loaded[band.name][place], array)
    ids = decode_geotiff(there.store.get(there.info.layout.raster_label(sample.id, "ids", "1")))[0][0]
    np.testing.assert_array_equal(loaded["ids"], ids)


def test_one_label_a_window_is_its_commonest_class(corpus: Path, tmp_path: Path) -> None:
    export_samples(str(corpus), tmp_path / "rasters")
    report = export_samples(str(corpus), tmp_path / "global", one_label=Purity(least=0.3))
    kept = 0
    for path in sorted((tmp_path / "rasters").glob("*.pickle")):
        codes, counts = np.unique(load(path)["labels"], return_counts=True)
        shares = {code: n / 576 for code, n in zip(codes.tolist(), counts.tolist(), strict=True) if code != 0}
        best = max(shares.values(), default=0.0)
        own = tmp_path / "global" / path.name
        assert own.exists() == (best >= 0.3)
        if own.exists():
            kept += 1
            label = load(own)
            assert shares[label["label"]] == pytest.approx(best) == pytest.approx(label["purity"])
            assert "labels" not in label
    assert 0 < kept == report.files


def test_every_date_may_be_a_file_of_its_own(corpus: Path, tmp_path: Path) -> None:
    export_samples(str(corpus), tmp_path / "series")
    report = export_samples(str(corpus), tmp_path / "dates", single_image="all")
    whole = [load(path) for path in (tmp_path / "series").glob("*.pickle")]
    assert report.files == sum(len(one["doy"]) for one in whole)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "dates" / INDEX).read_text())))
    assert {row["dt"] for row in rows} == {"1"}
    one = whole[0]
    for path in (tmp_path / "dates").glob("*.pickle"):
        part = load(path)
        if part["sample"] == one["sample"]:
            at = one["datetime"].tolist().index(part["datetime"][0])
            np.testing.assert_array_equal(part["B04"][0], one["B04"][at])
            np.testing.assert_array_equal(part["valid"][0], one["valid"][at])


@given(st.integers(1, 5), st.integers(0, 2**16))
def test_the_clearest_date_has_most_usable_pixels_and_is_the_earliest_of_equals(count: int, seed: int) -> None:
    valid = np.random.default_rng(seed).integers(0, 2, (count, 2, 2)).astype(np.uint8)
    best = clearest({"doy": np.arange(count), "valid": valid})
    sums = valid.sum(axis=(1, 2)).tolist()
    assert best == sums.index(max(sums))
    assert clearest({"doy": np.arange(count)}) == 0


@given(st.integers(0, 2**16), st.floats(0, 1))
def test_a_label_is_the_commonest_class_or_the_window_is_impure(seed: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.choice([0, 3, 7, 255], (4, 4), p=rng.dirichlet(np.ones(4)))
    arrays = {"labels": labels, "codes": np.array([0, 3, 7]), "background": 0, "ids": labels}
    done, status = labelled(arrays, Purity(least=least))
    counts = {code: int((labels == code).sum()) for code in (0, 3, 7)}
    total = sum(counts.values())
    best = min((3, 7), key=lambda code: (-counts[code], code))
    share = counts[best] / max(total, 1)
    assert (status == "ok") == (total > 0 and share > 0 and share >= least)
    if status == "ok":
        assert (done["label"], done["purity"]) == (best, pytest.approx(share))
    assert not {"labels", "ids"} & done.keys()
    whole, always = labelled(arrays, Purity(least=least, fractions=True))
    assert always == "ok"
    assert whole["fractions"].tolist() == pytest.approx([counts[code] / max(total, 1) for code in (0, 3, 7)])


@given(st.integers(0, 2**16))
def test_encoded_samples_read_back_and_the_same_arrays_are_the_same_bytes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    arrays: dict[str, Any] = {
        "B02": rng.integers(0, 9, (2, 3, 3)),
        "year": 2018,
        "sample": "a",
        "doy": np.array([1, 6]),
    }
    for to, read in (("pickle", pickle.loads), ("npz", lambda data: np.load(io.BytesIO(data), allow_pickle=False))):
        data = encode_sample(arrays, to)
        assert data == encode_sample(dict(arrays), to)
        again = read(data)
        assert all(np.array_equal(again[key], value) for key, value in arrays.items())


def test_mistakes_are_named(corpus: Path, tiny_corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="got the format 'csv'"):
        export_samples(str(corpus), tmp_path / "x", "csv")
    with pytest.raises(InvalidValueError, match=r"got a purity of 1\.5"):
        Purity(least=1.5)
    with pytest.raises(InvalidInputError, match="without classes"):
        export_samples(str(tiny_corpus), tmp_path / "y", one_label=Purity())
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ForeignCorpusError, match="contains files of something else"):
        export_samples(str(corpus), tmp_path)
