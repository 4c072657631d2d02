"""Training of networks: the same numbers after a kill, early stop, what is refused."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from tests.training.fit.tables import table

from landloom.errors import InvalidInputError
from landloom.training.fit.batches import SeriesExamples, whole
from landloom.training.fit.networks import CHECKPOINT, Parts, fit_network
from landloom.training.fit.settings import FitSettings
from landloom.training.fit.weights import load_weights, read_tensors
from landloom.training.models.ltae import LTAE
from landloom.training.models.tempcnn import TempCNN

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.training.fit.networks import Fitted, Row

SETTINGS = FitSettings(epochs=5, batch=8, rate=5e-3, seed=3)


def run(folder: Path, settings: FitSettings = SETTINGS, heard: Any = lambda _: None, *, val: bool = True) -> Fitted:
    torch.manual_seed(settings.seed)
    model = LTAE(bands=3, classes=2, heads=4, width=16, out=16)
    train, other = (SeriesExamples(table(40, seed), np.zeros(3), np.ones(3)) for seed in (0, 1))
    return fit_network(model, Parts(train=train, val=other if val else None, collate=whole), settings, folder, heard)


def interrupt(row: Row) -> None:
    """End a run after its third epoch; tests of pipelines kill processes."""
    if row["epoch"] == 2:
        raise KeyboardInterrupt


def test_an_interrupted_run_goes_on_and_ends_with_the_same_numbers(tmp_path: Path) -> None:
    whole_run, killed = tmp_path / "whole", tmp_path / "killed"
    for folder in (whole_run, killed):
        folder.mkdir()
    expected = run(whole_run)
    with pytest.raises(KeyboardInterrupt):
        run(killed, heard=interrupt)
    found = run(killed)
    assert found.resumed == 3
    assert found.history == expected.history
    assert all(torch.equal(found.weights[name], one) for name, one in expected.weights.items())
    ends = [read_tensors(folder / CHECKPOINT) for folder in (whole_run, killed)]
    first, second = (state["optimizer"]["state"] for state in ends)
    assert all(torch.equal(first[key]["exp_avg"], second[key]["exp_avg"]) for key in first)
    again = run(killed)
    assert again.resumed == 5
    assert again.history == expected.history


def test_seeds_decide(tmp_path: Path) -> None:
    ends = []
    for number, seed in enumerate((3, 3, 4)):
        folder = tmp_path / str(number)
        folder.mkdir()
        ends.append(run(folder, FitSettings(epochs=2, batch=8, seed=seed)).history)
    assert ends[0] == ends[1] != ends[2]


def test_threads_that_others_have_set_change_nothing(tmp_path: Path) -> None:
    before, ends = torch.get_num_threads(), []
    for threads in (1, 2):
        folder = tmp_path / str(threads)
        folder.mkdir()
        torch.set_num_threads(threads)
        try:
            ends.append(run(folder, FitSettings(epochs=2, batch=8)).history)
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    assert ends[0] == ends[1]


def test_it_stops_early_with_the_best_weights(tmp_path: Path) -> None:
    rows: list[Row] = []
    settings = FitSettings(epochs=40, batch=8, rate=0.05, patience=2)
    found = run(tmp_path, settings, rows.append)
    losses = [row["val_loss"] for row in found.history]
    assert 3 <= len(losses) < 40
    assert int(np.argmin(losses)) == len(losses) - 3
    assert tuple(rows) == found.history
    assert run(tmp_path, settings).history == found.history


def test_without_validation_the_last_weights_count(tmp_path: Path) -> None:
    found = run(tmp_path, val=False)
    assert len(found.history) == 5
    last = read_tensors(tmp_path / CHECKPOINT)["model"]
    assert all(torch.equal(last[name], one) for name, one in found.weights.items())


def test_what_cannot_be_trained_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="epoch 0: got a training loss of nan"):
        run(tmp_path, FitSettings(epochs=2, batch=8, rate=1e30))
    none = SeriesExamples(table(0), np.zeros(3), np.ones(3))
    with pytest.raises(InvalidInputError, match="got no example in train"):
        fit_network(LTAE(bands=3, classes=2), Parts(train=none, val=None, collate=whole), SETTINGS, tmp_path)
    cnn, few = TempCNN(bands=3, classes=2, timesteps=6), SeriesExamples(table(9), np.zeros(3), np.ones(3))
    for parts, settings in (
        (Parts(train=SeriesExamples(table(1), np.zeros(3), np.ones(3)), val=None, collate=whole), SETTINGS),
        (Parts(train=few, val=None, collate=whole), FitSettings(batch=1)),
    ):
        with pytest.raises(InvalidInputError, match="expected two at least: TempCNN normalises"):
            fit_network(cnn, parts, settings, tmp_path)
    with pytest.raises(InvalidInputError, match="expected at least 1"):
        FitSettings(epochs=0)
    with pytest.raises(InvalidInputError, match="expected a number above 0"):
        FitSettings(rate=float("nan"))


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    examples = SeriesExamples(table(), np.zeros(3), np.ones(3))
    with pytest.raises(InvalidInputError, match="weights of another network"):
        fit_network(LTAE(bands=3, classes=5), Parts(train=examples, val=None, collate=whole), SETTINGS, tmp_path)


class Hostile:
    """An object that runs code when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.system, ("false",)


def test_only_tensors_are_read(tmp_path: Path) -> None:
    model, file = LTAE(bands=3, classes=2), tmp_path / "weights.pt"
    for content in (pickle.dumps(Hostile()), b"", b"no weights"):
        file.write_bytes(content)
        with pytest.raises(InvalidInputError, match=r"weights\.pt: got no file of tensors alone"):
            load_weights(model, file)
    for document, told in (
        ({"a": 1}, "expected names with tensors alone"),
        ([torch.ones(1)], "got list"),
        ({"a": torch.ones(1)}, "weights of another network"),
    ):
        torch.save(document, file)
        with pytest.raises(InvalidInputError, match=told):
            load_weights(model, file)
    torch.save(model.state_dict(), file)
    load_weights(model, file)
