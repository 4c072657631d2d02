"""`CorpusDataset`: samples of a corpus for PyTorch, read and converted straight into the batch."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.data import Dataset, get_worker_info

from landloom.errors import InvalidInputError
from landloom.training.datasets.checking import check_samples, faults
from landloom.training.datasets.collate import empty
from landloom.training.datasets.drawing import draw_sample
from landloom.training.datasets.pixels import fill_image
from landloom.training.datasets.plan import DatasetPlan, Request
from landloom.training.datasets.series import SeriesReader
from landloom.training.datasets.targets import Dense

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from landloom.query.selection import Selection
    from landloom.training.datasets.plan import Missing, Statistics
    from landloom.training.datasets.targets import Target
    from landloom.training.datasets.windows import At, Window

Sample = dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One product of one example: what is read, and where it is written."""

    steps: NDArray[np.int64]
    image: torch.Tensor
    valid: torch.Tensor
    dates: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Example:
    """One example that is about to be read."""

    sample: int
    window: Window
    parts: tuple[_Part, ...]


class CorpusDataset(Dataset[Sample]):
    """Samples of a selection as dictionaries of tensors, map-style.

    One product gives `image` float32 (T, C, H, W), `dates` int64 (T) in days since 1970-01-01, `valid` bool (T, H, W),
    `length` int64, the target, `weight` float32, `bounds` float64 (4) as west, south, east and north in metres of
    `crs`, and `id`. The target is `label` int64, `fractions` float32 (K), `mask` int64 (H, W) with −1 for no label, or
    `value` float32, of a dense target (H, W) with NaN for none; `weight` is the confidence of the labels where their
    product has one, (H, W) for a mask and a dense value. Of several products, each has `image`, `dates`, `valid`,
    `length` and its own mask in a dictionary under its key.

    Images are reflectance (stored numbers / 10,000) or, of other products, stored numbers; with statistics,
    (x − mean) / standard deviation of the band. Pixels without data are 0, and False in `valid`; so are those that the
    layer `valid` or `SCL` beside a native series marks as not usable.

    An example depends on seed, epoch and its number alone, not on workers or order. Batches that a `DataLoader`
    fetches are written in place, series of unequal length padded, so `landloom.training.collate` does not copy them.

    Args:
        selection: the samples; its period and bands are used.
        products: key or keys; by default the only image product.
        target: what is learnt: `label`, `fractions`, `mask` or `value`, with the label product as `mask:consensus`
            where there are several; a `Target` for levels and crosswalks; None for none.
        bands: names, or product → names.
        dates: number of random timesteps with images, or names of timesteps; by default all.
        crop: side, or rows and columns, of windows in pixels of the first product; other products show the same ground.
        crop_at: `random`, `centre`, or `grid`: every window that fits, each an example of its own.
        statistics: of the training part of a corpus, to normalise by; or the name of the split set whose they are.
        seed: of all random choices.
        missing: `error`, or `drop` to leave samples without labels or images out; they are listed in `left_out`.
        rank: number of this process among `world`; it has every `world`-th example, from `rank` on.
        world: number of processes.
        threads: that read a batch; by default one for each core, and one in worker processes.
        cache: folder on local disk that keeps decoded series, about four times the bytes of cubes; for remote corpora,
            and where decoding is what training waits for.

    Raises:
        NotFoundError: an unknown product, band, timestep, target or class level.
        InvalidInputError: samples without labels or images, or of unequal size without a crop.
    """

    def __init__(  # noqa: PLR0913 - every one is a question of its own, and all are optional
        self,
        selection: Selection,
        products: str | Iterable[str] | None = None,
        target: str | Target | None = None,
        *,
        bands: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        dates: int | Sequence[str] | None = None,
        crop: int | tuple[int, int] | None = None,
        crop_at: At = "random",
        statistics: str | Statistics | None = None,
        seed: int = 0,
        missing: Missing = "error",
        rank: int = 0,
        world: int = 1,
        threads: int | None = None,
        cache: str | os.PathLike[str] | None = None,
    ) -> None:
        if not 0 <= rank < world:
            raise InvalidInputError(f"got rank {rank} of {world} processes, expected 0 to {world - 1}")
        request = Request(
            products=(products,) if isinstance(products, str) else tuple(products or ()),
            target=target,
            bands=bands,
            dates=(dates,) if isinstance(dates, str) else dates,
            crop=crop,
            crop_at=crop_at,
            statistics=statistics,
            seed=seed,
            missing=missing,
        )
        self.plan = DatasetPlan.of(selection, request)
        self.rank, self.world, self.threads = rank, world, threads
        folder = None if cache is None else Path(cache)
        self._series = tuple(SeriesReader(self.plan.samples, one, folder) for one in self.plan.series)
        self._affine = tuple(self.plan.affine(number) for number in range(len(self.plan.series)))
        self._seen: set[int] = set()  # samples with blank windows, whose whole was found usable
        # Shared, so that workers that live for several epochs see the number change.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()  # type: ignore[no-untyped-call]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_pool"}

    @property
    def products(self) -> tuple[str, ...]:
        """Keys of the products."""
        return self.plan.request.products

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes of the target, in the order of labels and fractions; empty without classes."""
        return () if self.plan.target is None else self.plan.target.classes

    @property
    def bands(self) -> dict[str, tuple[str, ...]]:
        """Product → bands of its image."""
        return {one.key: one.bands for one in self.plan.series}

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the samples, in the order of the index, of all processes together."""
        return tuple(self.plan.samples.id(number) for number in range(len(self.plan.samples)))

    @property
    def left_out(self) -> Mapping[str, str]:
        """Sample of the selection → why it is not here."""
        return self.plan.left_out

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """(sample,) dominant class, for sampling by class; None if only reading rasters tells it."""
        return None if self.plan.target is None else self.plan.target.labels()

    @property
    def epoch(self) -> int:
        """Number of the epoch, from 0."""
        return int(self._epoch[0])

    def set_epoch(self, epoch: int) -> None:
        """Choose the random windows and dates of an epoch; call it before each, workers need not be restarted."""
        self._epoch[0] = epoch

    def __len__(self) -> int:
        return (len(self.plan) - self.rank + self.world - 1) // self.world

    def __getitem__(self, index: int) -> Sample:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Sample]:
        """The examples of a batch, as views of one tensor for each of their parts."""
        numbers = [self._number(int(index)) for index in indices]
        examples = self._prepared(numbers)
        threads = self._threads()
        if threads > 1 and len(examples) > 1:
            targets = list(self._workers(threads).map(self._read, examples))
        else:
            targets = [self._read(example) for example in examples]
        return [self._sample(example, target) for example, target in zip(examples, targets, strict=True)]

    def plot(self, sample: Sample, rgb: Sequence[str] | None = None) -> Figure:
        """Draw a sample of this dataset: its images in time order, validity, and target.

        Args:
            sample: one that the dataset returned.
            rgb: bands shown as red, green and blue; by default those of the visible light, else the first.
        """
        return draw_sample(self.plan, sample, rgb)

    def check(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Read every sample once, so that training does not stop at one that cannot be used.

        Args:
            progress: called with samples done, and all.

        Raises:
            InvalidInputError: series without a valid pixel, windows without a label, damaged files; all are named.
        """
        check_samples(self.plan, self._series, self._affine, self._threads(), progress)

    def _number(self, index: int) -> int:
        if not -len(self) <= index < len(self):
            raise IndexError(f"no example {index} in this dataset of {len(self)}")
        return self.rank + self.world * (index % len(self))

    def _threads(self) -> int:
        if self.threads is not None:
            return self.threads
        return 1 if get_worker_info() is not None else (os.cpu_count() or 1)

    def _workers(self, threads: int) -> ThreadPoolExecutor:
        if "_pool" not in self.__dict__:
            self._pool = ThreadPoolExecutor(threads, thread_name_prefix="landloom-dataset")
        return self._pool

    def _prepared(self, numbers: Sequence[int]) -> list[_Example]:
        """Choose windows and dates of a batch, and make room for it."""
        plan, epoch = self.plan, self.epoch
        chosen = []
        for number in numbers:
            sample, part = plan.place(number)
            random = plan.random(epoch, number)
            window = plan.window(sample, part, random)
            chosen.append((sample, window, [plan.steps(one, sample, random) for one in range(len(plan.series))]))
        rooms = []
        for place, series in enumerate(plan.series):
            _, _, height, width = chosen[0][1].pixels(series.resolution)
            longest = max(len(steps[place]) for _, _, steps in chosen)
            rooms.append(
                (
                    empty((len(chosen), longest, len(series.bands), height, width), torch.float32),
                    empty((len(chosen), longest, height, width), torch.bool),
                    empty((len(chosen), longest), torch.int64),
                )
            )
        return [
            _Example(
                sample,
                window,
                tuple(
                    _Part(steps[place], image[number], valid[number], dates[number])
                    for place, (image, valid, dates) in enumerate(rooms)
                ),
            )
            for number, (sample, window, steps) in enumerate(chosen)
        ]

    def _read(self, example: _Example) -> dict[str, Any] | Dense | None:
        """Fill the room of an example; its target is the result."""
        for place, (reader, part) in enumerate(zip(self._series, example.parts, strict=True)):
            count, plan = len(part.steps), reader.plan
            stored = reader.usable(example.sample, part.steps)
            row, column, _, _ = example.window.pixels(plan.resolution)
            image, valid, dates = part.image.numpy(), part.valid.numpy(), part.dates.numpy()
            gain, shift = self._affine[place]
            marks = (plan.nodata, plan.saturated)
            fill_image(
                stored.numbers,
                stored.steps,
                stored.bands,
                (row, column),
                marks,
                gain,
                shift,
                image[:count],
                valid[:count],
            )
            image[count:], valid[count:], dates[count:] = 0, False, 0
            dates[:count] = plan.days[part.steps]
        target = None if self.plan.target is None else self.plan.target.read(example.sample, example.window)
        is_bare = isinstance(target, Dense) and not target.known.any()
        if is_bare or not all(part.valid.any() for part in example.parts):
            self._refuse_blank(example.sample)
        return target

    def _refuse_blank(self, sample: int) -> None:
        """Refuse a sample of which nothing can be seen or learnt; a window or a date may be blank by chance."""
        if sample in self._seen:
            return
        found = list(faults(self.plan, self._series, self._affine, sample))
        if found:
            raise InvalidInputError(
                f"{self.plan.samples.id(sample)}: got {' and '.join(found)}; dataset.check() names every such sample"
            )
        self._seen.add(sample)

    def _sample(self, example: _Example, target: dict[str, Any] | Dense | None) -> Sample:
        parts = {}
        for series, part in zip(self.plan.series, example.parts, strict=True):
            parts[series.key] = {
                "image": part.image,
                "dates": part.dates,
                "valid": part.valid,
                "length": torch.tensor(len(part.steps)),
            }
            if isinstance(target, Dense):
                own = target.at((part.valid.shape[1], part.valid.shape[2]))
                parts[series.key] |= {own.key: torch.from_numpy(own.numbers), "weight": torch.from_numpy(own.weight)}
        sample: Sample = dict(parts) if len(parts) > 1 else next(iter(parts.values()))
        if isinstance(target, dict):
            sample |= {key: torch.as_tensor(value) for key, value in target.items()}
        samples = self.plan.samples
        return sample | {
            "bounds": torch.from_numpy(self.plan.bounds(example.sample, example.window)),
            "crs": f"EPSG:{samples.epsg[example.sample]}",
            "id": samples.id(example.sample),
        }
