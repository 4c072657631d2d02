"""Linear probes on published encoders: learnt, read again, cited; and files that are no such weights."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from tests.training.fit.tables import table
from tests.training.models.published.oracle import documents, weights, write_weights

from landloom.errors import CorpusError, InvalidInputError
from landloom.pipelines.training import train_corpus
from landloom.training.datasets.targets import Target
from landloom.training.fit.encoders import SeriesEncoder, monthly
from landloom.training.fit.folder import ModelFolder
from landloom.training.fit.learn import Lesson
from landloom.training.fit.trained import Trained

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.pipelines.training import TrainReport
    from landloom.query.corpus import Corpus

NAMES = ("presto", "galileo-nano")


def trained(corpus: Corpus, folder: Path, name: str, **changes: Any) -> TrainReport:
    made: dict[str, Any] = {"weights": write_weights(folder, name), "pixels": 20, "split_set": "halves"} | changes
    return train_corpus(str(corpus.folder), Lesson(task="lulc", model=name, **made), folder / "model")


@pytest.mark.parametrize("name", NAMES)
def test_probes_are_learnt_cited_and_read_again(halves: Corpus, tmp_path: Path, name: str) -> None:
    done = trained(halves, tmp_path, name)
    assert (done.examples, done.epochs, done.trained) == (6, 0, True)
    folder = ModelFolder(tmp_path / "model")
    own = folder.description()
    assert own.encoder is not None
    assert own.encoder["bands"] == {"B4": "B04", "B8": "B08", "B11": "B11"}
    card = (tmp_path / "model" / "card.md").read_text()
    for told in ("23", own.encoder["sha256"], f"`{name}.pt`", "| MIT (", "B8 by B08"):
        assert told in card
    found = folder.predictions("test")
    assert np.allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)
    (tmp_path / f"{name}.pt").unlink()  # the folder has all that it needs
    again = Trained.open(folder)
    assert again.probe is not None
    assert set(torch.load(tmp_path / "model" / "weights.pt", weights_only=True)) > {"probe.weight", "encoder.pos_embed"}


def test_numbers_are_learnt(halves: Corpus, tmp_path: Path) -> None:
    target = Target(kind="value", product="landcover", band="confidence")
    done = trained(halves, tmp_path, "presto", target=target)
    assert set(done.scores["test"]["scores"]) == {"rmse", "mae", "bias", "r2"}


def test_other_weights_are_another_model(halves: Corpus, tmp_path: Path) -> None:
    trained(halves, tmp_path, "presto")
    renamed = (tmp_path / "presto.pt").rename(tmp_path / "renamed.pt")
    assert not trained(halves, tmp_path, "presto", weights=renamed).trained
    torch.save(weights(documents()["presto"]["shapes"], seed=1), tmp_path / "other.pt")
    with pytest.raises(CorpusError, match="another encoder: sha256"):
        trained(halves, tmp_path, "presto", weights=tmp_path / "other.pt")


def test_missing_weights_are_refused_before_anything_is_read(halves: Corpus, tmp_path: Path) -> None:
    for changes, told in (
        ({"weights": None}, "got no weights, expected a file .*nasaharvest/presto, under MIT, and never fetched"),
        ({"weights": tmp_path / "absent.pt"}, "there is no such file; weights are never fetched"),
        ({"options": {"width": 3}}, "presto: got the option 'width', expected none"),
    ):
        with pytest.raises(InvalidInputError, match=told):
            trained(halves, tmp_path, "presto", **changes)
    with pytest.raises(InvalidInputError, match="got weights for model 'forest'"):
        train_corpus("no corpus", Lesson(task="lulc", model="forest", split_set="s", weights=tmp_path), tmp_path / "m")
    assert not (tmp_path / "model").exists()


class _Runs:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return print, ("run",)


def test_files_of_anything_else_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = weights(documents()["presto"]["shapes"])
    name = "encoder.blocks.0.norm1.bias"
    wide = good | {name: torch.zeros(192)}
    cases: list[tuple[Any, str]] = [
        ({"model": _Runs()}, "got no file of tensors alone"),
        ({"model": good}, "got dict, expected names with tensors alone"),
        ([good[name]], "got list, expected names with tensors alone"),
        ({3: good[name]}, "expected names with tensors alone"),
        ({one: good[one] for one in good if one != name}, "1 tensor differ.*norm1.bias of shape none, not \\(128,\\)"),
        (good | {"encoder.more": good[name]}, "such as more of shape \\(128,\\), not none"),
        (good | {"more": good[name]}, "such as more of shape \\(128,\\), not none"),
        (wide, "blocks.0.norm1.bias of shape \\(192,\\), not \\(128,\\)"),
        (good | {name: torch.full((128,), torch.nan)}, "values in blocks.0.norm1.bias that are no numbers"),
        (weights(documents()["galileo-nano"]["shapes"]), "expected those of Presto"),
    ]
    for number, (content, told) in enumerate(cases):
        path = tmp_path / f"{number}.pt"
        torch.save(content, path)
        with pytest.raises(InvalidInputError, match=told):
            SeriesEncoder.read("presto", path, {})
    for content in (b"", b"PK\x03\x04", pickle.dumps(_Runs()), json.dumps({}).encode()):
        (tmp_path / "raw.pt").write_bytes(content)
        with pytest.raises(InvalidInputError, match="got no file of tensors alone"):
            SeriesEncoder.read("presto", tmp_path / "raw.pt", {})
    assert "run" not in capsys.readouterr().out


def test_series_become_months_counted_from_their_start() -> None:
    own = table(4)
    made = monthly(own)  # 2018-01-01 and every 30 days: the second falls on 31 January
    assert made.months[0].tolist() == [0, 1, 2, 3, 4]
    both = own.valid[:, :2].all(axis=1)
    np.testing.assert_allclose(made.image[both, 0], own.image[both, :2].mean(axis=1), rtol=1e-5)
    assert (made.valid[:, 0] == own.valid[:, :2].any(axis=1)).all()


def test_series_that_an_encoder_cannot_take_are_refused(tmp_path: Path) -> None:
    encoder, _ = SeriesEncoder.read("galileo-nano", write_weights(tmp_path, "galileo-nano"), {"B4": 0, "B8": 1})
    own = table(4)
    with pytest.raises(InvalidInputError, match="without latitude and longitude"):
        encoder.embed(own)
    long = replace(own, dates=17_532 + 200 * np.tile(np.arange(6), (4, 1)), place=np.zeros((4, 2)))
    with pytest.raises(InvalidInputError, match="s0: got a series of 33 months, expected at most 24"):
        encoder.embed(long)
