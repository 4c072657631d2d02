"""U-TAE from cubes on a graphics card: `python -m benchmarks.gpu_utae [--device auto|cpu|gpu] [--seconds 150]`.

Trains with the very code of `landloom train`: bfloat16, worker processes, pinned memory. Prints samples a second, and
the share of the time that the card waits for data: of 12 × 12 × 60 × 60 cubes with a mask, read from a page cache. On
a card it is measured between events of its own stream, so that work which is still queued does not count as waiting.
Under six minutes in all; on a processor with `--device cpu --seconds 5` it is small, and only shows that it works.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final, Literal

import torch
from benchmarks.bench_training import write_cubes
from torch.utils.data import Dataset

from landloom.query.corpus import Corpus
from landloom.training.datasets.collate import collate
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.fit.batches import loader
from landloom.training.fit.devices import device_of
from landloom.training.fit.networks import Run
from landloom.training.fit.settings import FitSettings
from landloom.training.models.utae import UTAE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landloom.training.fit.batches import Batch

Device = Literal["auto", "cpu", "gpu"]
GOAL: Final = 0.10
"""Share of the time that a card waits, at most."""
WARM: Final = 10
"""Steps before the clock starts on a card: kernels are chosen, worker processes start."""
SMALL: Final[dict[str, Any]] = {"encoder": (16, 16), "decoder": (16, 16), "heads": 4, "width": 32}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured."""

    device: str
    steps: int
    samples_per_second: float
    waiting: float
    """Share of the time that the device waits for data."""
    loss: float
    """Of all steps."""


class Repeated(Dataset[Any]):
    """A dataset as if it had as many samples as an epoch needs; each is read and decoded every time."""

    def __init__(self, dataset: CorpusDataset, count: int) -> None:
        self.dataset, self.count = dataset, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index % len(self.dataset)]

    def __getitems__(self, indices: Sequence[int]) -> Any:
        """The samples of a batch."""
        return self.dataset.__getitems__([index % len(self.dataset) for index in indices])


class Clocked:
    """Batches of a loader until the time is up, with the gaps between the end of a step and the start of the next."""

    def __init__(self, batches: Any, seconds: float, warm: int, device: torch.device) -> None:
        self.batches, self.sampler = batches, batches.sampler
        self.seconds, self.warm, self.device = seconds, warm, device
        self.marks: list[Any] = []
        """In turn: a batch is ready, its step is done."""
        self.samples = 0

    def __iter__(self) -> Iterator[Batch]:
        started = perf_counter()
        for number, batch in enumerate(self.batches):
            if number == self.warm:
                started = perf_counter()
            if number >= self.warm:
                self.marks.append(self._mark())
                self.samples += len(batch["image"])
            yield batch
            if number >= self.warm:
                self.marks.append(self._mark())
                if perf_counter() - started > self.seconds:
                    return

    def _mark(self) -> Any:
        if self.device.type != "cuda":
            return perf_counter()
        event: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def times(self) -> tuple[float, float]:
        """Seconds from the first batch to the end of the last step, and those of them that were spent waiting."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        done, ready = self.marks[1:-1:2], self.marks[2::2]
        waiting = sum(self._between(first, second) for first, second in zip(done, ready, strict=True))
        return self._between(self.marks[0], self.marks[-1]), waiting

    def _between(self, first: Any, second: Any) -> float:
        if self.device.type != "cuda":
            return float(second - first)
        return float(first.elapsed_time(second)) / 1_000


def measure(device: Device, seconds: float, *, workers: int, batch: int, small: bool) -> Measured:
    """Train for a while.

    Args:
        device: `auto`, `cpu` or `gpu`.
        seconds: that are measured.
        workers: processes that read.
        batch: samples of a step.
        small: whether the network is a small one; else that of the paper.

    Raises:
        InvalidInputError: a card is asked for, and there is none.
    """
    own = device_of(device)
    settings = FitSettings(batch=batch, workers=workers, bf16=True, accelerator=device)
    torch.manual_seed(0)
    run = Run(UTAE(12, 7, **(SMALL if small else {})), settings)
    with tempfile.TemporaryDirectory() as folder:
        write_cubes(Path(folder), masks=True)
        dataset = CorpusDataset(Corpus.open(Path(folder) / "corpus").query(), "s2", "mask:landcover")
        batches = loader(Repeated(dataset, 1_000_000), settings, collate=collate, shuffle=True)
        clocked: Any = Clocked(batches, seconds, 1 if own.type == "cpu" else WARM, own)
        row = run.epoch(clocked, None)
    whole, waiting = clocked.times()
    return Measured(
        device=torch.cuda.get_device_name(own) if own.type == "cuda" else "processor",
        steps=len(clocked.marks) // 2,
        samples_per_second=clocked.samples / whole,
        waiting=waiting / whole,
        loss=row["train_loss"],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 if a card waits longer than it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("auto", "cpu", "gpu"), default="auto")
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, 12))
    parser.add_argument("--batch", type=int, default=None)
    chosen = parser.parse_args(arguments)
    is_card = device_of(chosen.device).type == "cuda"
    found = measure(
        chosen.device,
        chosen.seconds,
        workers=chosen.workers,
        batch=chosen.batch or (16 if is_card else 2),
        small=not is_card,
    )
    sys.stdout.write(json.dumps(asdict(found)) + "\n")
    goal = "" if not is_card else f"; goal: at most {GOAL:.0%}"
    sys.stdout.write(
        f"{found.device}: {found.samples_per_second:.1f} samples/s in {found.steps} steps, "
        f"{found.waiting:.1%} of the time waiting for data{goal}\n"
    )
    return int(is_card and found.waiting > GOAL)


if __name__ == "__main__":
    sys.exit(main())
