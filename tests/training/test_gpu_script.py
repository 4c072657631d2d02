"""The script for graphics cards, run for real on a processor: it trains, clocks, and refuses a card that is absent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch
from benchmarks.gpu_utae import Clocked, main, measure

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_it_trains_and_clocks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--device", "cpu", "--seconds", "0.2", "--workers", "0"]) == 0
    document, words = capsys.readouterr().out.splitlines()
    found = json.loads(document)
    assert found["steps"] >= 1
    assert found["samples_per_second"] > 0
    assert 0 <= found["waiting"] < 1
    assert found["loss"] > 0
    assert words.startswith("processor: ")


def test_waiting_is_the_time_between_steps() -> None:
    class Batches:
        sampler = None

        def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
            return iter([{"image": torch.zeros(3)}] * 4)

    clocked = Clocked(Batches(), 1e9, 1, torch.device("cpu"))
    list(clocked)
    clocked.marks = [0.0, 1.0, 1.5, 3.0, 3.25, 4.0]  # three steps after a warm one
    assert clocked.samples == 9
    assert clocked.times() == (4.0, 0.75)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a graphics card")
def test_a_card_that_is_not_there_is_an_error() -> None:
    with pytest.raises(InvalidInputError, match=r"got accelerator 'gpu'.*PyTorch sees no graphics card"):
        measure("gpu", 1, workers=0, batch=2, small=True)
