"""`CorpusDataset` against the numbers that were written, whatever the layout, order, worker or process."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.datasets.collate import collate
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.targets import Target

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpora import Made

    from landloom.query.corpus import Corpus


class Fixed:
    """Statistics that are told."""

    def moments(self, product: str, bands: Any) -> tuple[np.ndarray, np.ndarray]:
        assert product == "s2"
        return np.arange(1, len(bands) + 1) / 10, np.arange(1, len(bands) + 1) / 20


def expected(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image and validity by numpy alone."""
    valid = ((numbers != 0) & (numbers != 65_535)).all(axis=1)
    return np.where(valid[:, None], numbers / np.float64(10_000), 0), valid


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[key]) if isinstance(value, torch.Tensor) else value == other[key]
        for key, value in one.items()
    )


@pytest.mark.parametrize("layout", ["cubes", "chips"])
def test_a_sample_is_what_was_written(layout: str, made: Made, corpus: Corpus, chips: Corpus) -> None:
    dataset = CorpusDataset((corpus if layout == "cubes" else chips).query(), "s2", "label:labels")
    assert len(dataset) == 12
    assert dataset.ids == made.ids
    for number, name in enumerate(made.ids):
        sample = dataset[number]
        image, valid = expected(made.series[name])
        np.testing.assert_allclose(sample["image"], image, atol=1e-6)
        np.testing.assert_array_equal(sample["valid"], valid)
        assert (sample["image"].dtype, sample["dates"].dtype) == (torch.float32, torch.int64)
        assert sample["dates"].tolist() == [17_546, 17_577, 17_605]
        assert (sample["id"], sample["length"].item()) == (name, 3)
        shares = made.shares[name][:-1]
        assert sample["label"].item() == shares.argmax()
        assert dataset.classes[sample["label"]] in ("clc_211", "clc_311", "clc_512")
    west, south, east, north = sample["bounds"].tolist()
    assert (east - west, north - south, sample["crs"]) == (600, 600, "EPSG:32634")


def test_bands_and_statistics(made: Made, corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(), "s2", bands=["B11", "B04"], statistics=Fixed())
    numbers = made.series[made.ids[3]][:, [2, 0]]
    image, valid = expected(numbers)
    mean, deviation = Fixed().moments("s2", dataset.bands["s2"])
    wanted = np.where(valid[:, None], (image - mean[:, None, None]) / deviation[:, None, None], 0)
    np.testing.assert_allclose(dataset[3]["image"], wanted, atol=1e-5)


def test_targets(made: Made, corpus: Corpus) -> None:
    name = made.ids[4]
    layer, confidence = made.masks[name]
    wanted = np.where(layer == 0, -1, layer.astype(int) - 1)
    mask = CorpusDataset(corpus.query(), "s2", "mask")
    sample = mask[4]
    np.testing.assert_array_equal(sample["mask"], wanted)
    np.testing.assert_allclose(sample["weight"], np.where(layer == 0, 0, confidence / 100), atol=1e-6)
    assert mask.classes == tuple(f"lcn_{code}" for code in range(1, 8))
    counts = np.bincount(wanted[wanted >= 0], minlength=7)
    of_raster = CorpusDataset(corpus.query(), "s2", "fractions:landcover")[4]
    np.testing.assert_allclose(of_raster["fractions"], counts / counts.sum(), atol=1e-6)
    assert of_raster["weight"] == pytest.approx(confidence[layer > 0].mean() / 100)
    shares = CorpusDataset(corpus.query(), "s2", "fractions:labels")[4]["fractions"]
    np.testing.assert_allclose(shares, made.shares[name][:-1] / made.shares[name][:-1].sum(), atol=1e-6)
    coarse = CorpusDataset(corpus.query(), "s2", Target(kind="fractions", product="labels", level=1))
    assert coarse.classes == ("clc_1", "clc_2", "clc_3", "clc_4", "clc_5")
    walked = CorpusDataset(corpus.query(), "s2", Target(kind="label", product="labels", crosswalk="landcovernet"))
    assert walked.classes == tuple(f"lcn_{code}" for code in range(1, 8))
    assert walked.labels is not None
    assert {walked.classes[one] for one in walked.labels} <= {"lcn_1", "lcn_5", "lcn_6"}


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_equal_single_samples_in_any_process(workers: int, corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(), "s2", "mask", crop=30, dates=2, seed=7)
    dataset.set_epoch(1)
    singles = [dataset[number] for number in range(len(dataset))]
    context = "spawn" if workers else None
    loader = DataLoader(
        dataset, batch_size=5, collate_fn=collate, num_workers=workers, multiprocessing_context=context, shuffle=True
    )
    seen = {}
    for batch in loader:
        for place, name in enumerate(batch["id"]):
            seen[name] = {key: value[place] for key, value in batch.items()}
    assert all(equal(seen[single["id"]], single) for single in singles)
    assert len(seen) == len(singles)


def test_epochs_differ_and_repeat(corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(), "s2", crop=20, dates=1, seed=1)
    first = dataset[2]
    dataset.set_epoch(1)
    second = dataset[2]
    dataset.set_epoch(0)
    assert equal(dataset[2], first)
    assert not equal(second, first)
    assert not equal(CorpusDataset(corpus.query(), "s2", crop=20, dates=1, seed=2)[2], first)
    other = pickle.loads(pickle.dumps(dataset))
    assert equal(other[2], first)
    assert equal(copy.deepcopy(dataset)[2], first)


def test_a_batch_is_not_copied(corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(), "s2", threads=2)
    samples = dataset.__getitems__([3, 0, 5])
    batch = collate(samples)
    assert batch["image"].data_ptr() == samples[0]["image"].data_ptr()
    assert batch["id"] == [dataset.ids[number] for number in (3, 0, 5)]


@pytest.mark.parametrize("world", [1, 2, 5])
def test_processes_share_the_examples(world: int, corpus: Corpus) -> None:
    parts = [CorpusDataset(corpus.query(), "s2", crop=20, rank=rank, world=world) for rank in range(world)]
    seen = [sample["id"] for part in parts for sample in (part[number] for number in range(len(part)))]
    assert sorted(seen) == sorted(parts[0].ids)
    whole = CorpusDataset(corpus.query(), "s2", crop=20)
    assert all(equal(parts[-1][number], whole[world - 1 + number * world]) for number in range(len(parts[-1])))


def test_windows_of_a_grid_cover_the_sample(made: Made, corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(), "s2", "mask", crop=(30, 20), crop_at="grid")
    assert len(dataset) == 12 * 6
    parts = [dataset[number] for number in range(6, 12)]
    rows = [np.concatenate([one["image"].numpy() for one in parts[start : start + 3]], axis=3) for start in (0, 3)]
    image, _ = expected(made.series[made.ids[1]])
    np.testing.assert_allclose(np.concatenate(rows, axis=2), image, atol=1e-6)
    assert parts[4]["bounds"].tolist()[0] == parts[0]["bounds"].tolist()[0] + 200
    assert {one["id"] for one in parts} == {made.ids[1]}


def test_random_dates_have_images(made: Made, corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(), "s2", dates=2)
    for epoch in range(4):
        dataset.set_epoch(epoch)
        assert dataset[0]["dates"].tolist() == [17_546, 17_605]
    named = CorpusDataset(corpus.query(), "s2", dates=["2018-03"])
    np.testing.assert_allclose(named[1]["image"], expected(made.series[made.ids[1]][2:])[0], atol=1e-6)


def test_what_cannot_be_had_is_said_at_once(corpus: Corpus) -> None:
    chosen = corpus.query()
    for error, arguments in (
        (NotFoundError, {"products": "s3"}),
        (NotFoundError, {"bands": ["B99"]}),
        (NotFoundError, {"dates": ["2019-01"]}),
        (NotFoundError, {"target": "colour"}),
        (NotFoundError, {"target": "label:nothing"}),
        (NotFoundError, {"target": Target(kind="label", level=9)}),
        (NotFoundError, {"target": Target(kind="label", crosswalk="igbp17")}),
        (InvalidInputError, {"target": "mask:labels"}),
        (InvalidInputError, {"products": "labels"}),
        (InvalidInputError, {"products": ["s2", "s2"]}),
        (InvalidInputError, {"crop": 61}),
        (InvalidInputError, {"crop_at": "left"}),
        (InvalidInputError, {"dates": 0}),
        (InvalidInputError, {"rank": 2, "world": 2}),
        (InvalidInputError, {"missing": "ignore"}),
    ):
        options: Any = {"products": "s2", **arguments}
        with pytest.raises(error):
            CorpusDataset(chosen, **options)
    with pytest.raises(InvalidInputError, match="empty selection"):
        CorpusDataset(corpus.query(where="clc_111 = 1"), "s2")
    with pytest.raises(IndexError):
        CorpusDataset(chosen, "s2")[12]


def test_samples_without_images_are_named_or_dropped(corpus: Corpus) -> None:
    month = corpus.query(period=("2018-02-01", "2018-03-01"))
    with pytest.raises(InvalidInputError, match=r"2 samples of 12 .*no image of s2"):
        CorpusDataset(month, "s2")
    dataset = CorpusDataset(month, "s2", "label", missing="drop")
    assert len(dataset) == 10
    assert set(dataset.left_out) == set(corpus.query().ids) - set(dataset.ids)
    assert dataset[0]["id"] == dataset.ids[0]


def test_dates_of_their_own_are_padded(tmp_path: Path) -> None:
    """Chips of two granules have other dates: each its own, and in a batch the shorter one is padded."""
    from tests.chips import write_world

    from landloom.query.corpus import Corpus

    world = write_world(tmp_path / "corpus", side=30, scenes=3, chips=1)
    dataset = CorpusDataset(
        Corpus.open(world.folder, cache=tmp_path / "cache").query(), ["s2_scenes", "scl"], "mask:guess", crop=12
    )
    batch = collate([dataset[number] for number in range(len(dataset))])
    assert batch["s2_scenes"]["image"].shape == (2, 3, 3, 12, 12)
    assert batch["scl"]["mask"].shape == (2, 12, 12)
    assert set(np.unique(batch["s2_scenes"]["weight"])) <= {np.float32(0.45), np.float32(0.9)}
    dates = [[day.toordinal() - 719_163 for day in world.dates[name]] for name in batch["id"]]
    assert batch["s2_scenes"]["dates"].tolist() == dates


@pytest.mark.parametrize("layout", ["cubes", "chips"])
def test_a_cache_changes_nothing(layout: str, corpus: Corpus, chips: Corpus, tmp_path: Path) -> None:
    chosen = (corpus if layout == "cubes" else chips).query()
    plain = CorpusDataset(chosen, "s2", bands=["B11", "B04"], crop=20, dates=2)
    for _ in range(2):
        cached = CorpusDataset(chosen, "s2", bands=["B11", "B04"], crop=20, dates=2, cache=tmp_path)
        assert all(equal(cached[number], plain[number]) for number in range(len(plain)))
    kept = sorted(tmp_path.rglob("*.raw"))
    assert len(kept) == len(plain)
    kept[0].write_bytes(b"cut")
    assert all(equal(cached[number], plain[number]) for number in range(len(plain)))
    CorpusDataset(chosen, "s2", bands=["B04"], cache=tmp_path)[0]
    assert len(list(tmp_path.rglob("*.raw"))) == len(plain) + 1


def test_a_sample_is_drawn(corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(), "s2", "mask", statistics=Fixed())
    axes = dataset.plot(dataset[0]).axes
    assert [one.get_title() for one in axes] == ["s2 2018-01-15", "s2 2018-02-15", "s2 2018-03-15", "mask"]
    labelled = CorpusDataset(corpus.query(), "s2", "label:labels")
    figure = labelled.plot(labelled[0])
    assert "clc_" in figure.get_suptitle()


@pytest.mark.parametrize("layout", ["cubes", "chips"])
def test_a_remote_corpus_reads_the_same(layout: str, corpus: Corpus, chips: Corpus, tmp_path: Path) -> None:
    from tests.web import serving

    from landloom.query.corpus import Corpus

    local = corpus if layout == "cubes" else chips
    here = CorpusDataset(local.query(), "s2", "mask")
    assert local.folder is not None
    with serving(local.folder) as server:
        there = CorpusDataset(Corpus.open(server.address, cache=tmp_path / "cache").query(), "s2", "mask")
        read = pickle.loads(pickle.dumps(there)).__getitems__([4, 0])
    assert all(equal(sample, here[number]) for sample, number in zip(read, (4, 0), strict=True))
