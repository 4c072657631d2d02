"""Batches for torchgeo's tasks: its contract of keys, shapes and types, kept without torchgeo."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.data import DataLoader

from landloom.errors import InvalidInputError
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.torchgeo import torchgeo_collate

if TYPE_CHECKING:
    from landloom.query.corpus import Corpus


def _batch(dataset: CorpusDataset, **options: Any) -> dict[str, Any]:
    loader = DataLoader(dataset, batch_size=4, collate_fn=partial(torchgeo_collate, **options))
    return next(iter(loader))


def test_a_series_becomes_channels_or_keeps_its_axis(corpus: Corpus) -> None:
    dataset = CorpusDataset(corpus.query(), "s2", "mask", crop=32)
    batch = _batch(dataset)
    assert set(batch) == {"image", "mask", "id"}
    assert (batch["image"].shape, batch["image"].dtype) == ((4, 9, 32, 32), torch.float32)
    assert (batch["mask"].shape, batch["mask"].dtype) == ((4, 32, 32), torch.int64)
    series = _batch(dataset, time="axis")["image"]
    assert series.shape == (4, 3, 3, 32, 32)
    for step in range(3):
        assert torch.equal(batch["image"][:, 3 * step : 3 * step + 3], series[:, step])


def test_a_task_learns_from_it(corpus: Corpus) -> None:
    """What torchgeo's segmentation does with a batch: logits of its channels, cross-entropy that ignores −1."""
    dataset = CorpusDataset(corpus.query(), "s2", "mask", crop=32)
    batch = _batch(dataset)
    model = torch.nn.Conv2d(9, len(dataset.classes), 3, padding=1)
    loss = torch.nn.CrossEntropyLoss(ignore_index=-1)(model(batch["image"]), batch["mask"])
    loss.backward()
    assert loss.isfinite()


def test_classes_and_numbers_are_labels(corpus: Corpus) -> None:
    label = _batch(CorpusDataset(corpus.query(), "s2", "label:labels", dates=["2018-03"]))
    assert (label["image"].shape, label["label"].shape, label["label"].dtype) == ((4, 3, 60, 60), (4,), torch.int64)
    value = _batch(CorpusDataset(corpus.query(), "s2", "value:landcover"))
    assert (set(value), value["label"].dtype) == ({"image", "label", "id"}, torch.float32)


def test_what_no_task_takes_is_said(corpus: Corpus) -> None:
    sample = CorpusDataset(corpus.query(), "s2", "label:labels")[1]
    with pytest.raises(InvalidInputError, match="got image of 2 to 3 timesteps"):
        torchgeo_collate([sample, sample | {"image": sample["image"][:2]}])
    with pytest.raises(InvalidInputError, match="fractions"):
        _batch(CorpusDataset(corpus.query(), "s2", "fractions:labels"))
    with pytest.raises(InvalidInputError, match="got samples of s2, pf, expected one product"):
        torchgeo_collate([{"s2": sample, "pf": sample, "id": "a"}])
    with pytest.raises(InvalidInputError, match="channels or axis"):
        torchgeo_collate([sample], time="first")  # type: ignore[arg-type]
