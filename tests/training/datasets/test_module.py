"""The data module under a real trainer: parts, order, statistics, and what is refused before the first batch."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from lightning import LightningModule, Trainer
from tests.corpora import write_corpus
from torch.utils.data import DataLoader

from landloom.errors import InvalidInputError, NotFoundError
from landloom.pipelines.measuring import measure_corpus
from landloom.pipelines.splitting import split_corpus
from landloom.query.corpus import Corpus
from landloom.training.datasets.collate import collate
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.datasets.module import CorpusDataModule
from landloom.training.datasets.order import EpochSampler
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.corpora import Made

SHARES = {"train": 0.5, "val": 0.25, "test": 0.25}


@pytest.fixture(scope="module")
def folder(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = shutil.copytree(made.folder, tmp_path_factory.mktemp("module") / "corpus")
    split_corpus(str(copy), "own", SplitSettings(by="random", shares=SHARES, gap=0), figure=False)
    measure_corpus(str(copy), "own")
    return copy


class Watching(LightningModule):
    """Keeps the ids and the brightness of what it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[list[str]] = []
        self.checked: list[str] = []

    def on_train_epoch_start(self) -> None:
        self.seen.append([])

    def training_step(self, batch: dict[str, Any], _: int) -> torch.Tensor:
        self.seen[-1] += batch["id"]
        loss: torch.Tensor = self.layer(batch["image"].mean().reshape(1, 1)).square().mean()
        return loss

    def validation_step(self, batch: dict[str, Any], _: int) -> None:
        self.checked += batch["id"]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.01)


@pytest.mark.filterwarnings("ignore:The '.*_dataloader' does not have many workers")
@pytest.mark.filterwarnings("ignore:The number of training batches")
@pytest.mark.filterwarnings("ignore:.*treespec, LeafSpec:FutureWarning")
def test_a_trainer_reads_its_parts(folder: Path, tmp_path: Path) -> None:
    module, model = CorpusDataModule(folder, "s2", "label:labels", split_set="own", batch_size=4, crop=30), Watching()
    trainer = Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=tmp_path,
    )
    trainer.fit(model, module)
    corpus = Corpus.open(folder)
    train = set(corpus.query(split="train", split_set="own").ids)
    assert [set(epoch) for epoch in model.seen] == [train, train]
    assert model.seen[0] != model.seen[1]
    assert module.dataset("train").epoch == 1
    assert sorted(set(model.checked)) == sorted(corpus.query(split="val", split_set="own").ids)
    assert len(model.checked) == 2 * 4 * 3


def test_every_process_reads_its_share(folder: Path) -> None:
    dataset = CorpusDataset(Corpus.open(folder).query(), "s2")
    dataset.set_epoch(3)
    parts = [list(EpochSampler(dataset, rank=rank, world=5)) for rank in range(5)]
    assert [len(part) for part in parts] == [2] * 5
    assert len({one for part in parts for one in part}) == 10
    assert list(EpochSampler(dataset)) == list(EpochSampler(dataset))
    with pytest.raises(InvalidInputError):
        EpochSampler(dataset, rank=1)


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(NotFoundError, match="landloom statistics"):
        CorpusDataModule(folder, "s2", "label")
    module = CorpusDataModule(folder, "s2", "label", split_set="own", parts={"test": ["val", "test"]})
    assert len(module.dataset("test")) == 6
    with pytest.raises(NotFoundError):
        module.dataset("other")


def test_blank_series_and_labels_are_named_before_the_first_batch(tmp_path: Path) -> None:
    made = write_corpus(tmp_path / "corpus", layouts=["chips"], count=3)
    corpus = Corpus.open(made.folder, cache=tmp_path / "cache")
    name, other = made.ids[1], made.ids[2]
    own = made.folder / "imagery" / name[:12].replace("_", "/") / name / "S2-SR"
    _blank(*own.iterdir(), *(made.folder / "labels").rglob(f"{other}/landcover-1.tif"))
    dataset = CorpusDataset(corpus.query(), "s2", "mask")
    with pytest.raises(InvalidInputError) as refused:
        dataset.check()
    assert "2 samples of 6" in str(refused.value)
    assert f"{name}: a series of s2 without a valid pixel" in str(refused.value)
    assert f"{other}: no labelled pixel in landcover" in str(refused.value)
    for options in ({}, {"crop": 20}, {"dates": 1}):
        bare = CorpusDataset(corpus.query(), "s2", "mask", **options)  # type: ignore[arg-type]
        with pytest.raises(InvalidInputError, match=rf"{name}: got a series of s2 without a valid pixel; .*check\(\)"):
            bare[1]
        loader = DataLoader(bare, batch_size=6, collate_fn=collate)
        with pytest.raises(InvalidInputError, match=f"{name}|{other}"):
            next(iter(loader))
        with pytest.raises(InvalidInputError, match=rf"{other}: got no labelled pixel in landcover"):
            bare[2]
    assert CorpusDataset(corpus.query(), "s2")[2]["valid"].any()


def test_a_window_may_be_blank_by_chance(tmp_path: Path) -> None:
    """The last rows of every mask have no label, and the first pixels of every image no data."""
    made = write_corpus(tmp_path / "corpus", layouts=["chips"], count=1)
    corpus = Corpus.open(made.folder, cache=tmp_path / "cache")
    windows = CorpusDataset(corpus.query(), "s2", "mask", crop=(2, 3), crop_at="grid")
    first, last = windows[0], windows[30 * 20 - 1]
    assert not first["valid"].any()
    assert (last["mask"] == -1).all()


def _blank(*paths: Path) -> None:
    from landloom.formats.geotiff import decode_geotiff, encode_geotiff

    for path in paths:
        array, grid, about = decode_geotiff(path.read_bytes())
        path.write_bytes(encode_geotiff(np.zeros_like(array), grid, nodata=about.nodata))
