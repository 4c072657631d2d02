"""What a dataset reads, decided before anything is read: products, target, windows, dates; and what cannot be had."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError, counted
from landloom.query.split_sets import read_statistics
from landloom.training.datasets.samples import Samples
from landloom.training.datasets.series import SeriesPlan
from landloom.training.datasets.targets import TargetReader
from landloom.training.datasets.windows import Window, WindowRule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from landloom.query.selection import Selection
    from landloom.training.datasets.targets import Target
    from landloom.training.datasets.windows import At

Missing = Literal["error", "drop"]
OWN: Final = frozenset(
    {
        "image",
        "dates",
        "valid",
        "length",
        "label",
        "fractions",
        "mask",
        "value",
        "weight",
        "bounds",
        "crs",
        "id",
    }
)
"""Keys of a sample, which no product may have as its own."""


class Statistics(Protocol):
    """Means and standard deviations of bands over the training part of a split set."""

    def moments(self, product: str, bands: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(band,) means and (band,) standard deviations of a product, in the unit of the image."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a user asks of a dataset; see `landloom.training.CorpusDataset`."""

    products: tuple[str, ...]
    target: str | Target | None = None
    bands: Sequence[str] | Mapping[str, Sequence[str]] | None = None
    dates: int | Sequence[str] | None = None
    crop: int | tuple[int, int] | None = None
    crop_at: At = "random"
    statistics: str | Statistics | None = None
    seed: int = 0
    missing: Missing = "error"

    def bands_of(self, product: str) -> Sequence[str] | None:
        """Bands of a product."""
        if self.bands is None or isinstance(self.bands, str):
            return None if self.bands is None else (self.bands,)
        if not hasattr(self.bands, "keys"):
            return tuple(self.bands)
        named: Mapping[str, Sequence[str]] = dict(self.bands)  # type: ignore[arg-type]
        return named.get(product)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DatasetPlan:
    """Everything that a dataset knows before it reads."""

    request: Request
    samples: Samples
    series: tuple[SeriesPlan, ...]
    target: TargetReader | None
    rule: WindowRule
    starts: NDArray[np.int64]
    """(sample + 1,) number of the first example of each sample; one example is one window."""
    count: int | None
    """Random dates of each series; None for all."""
    left_out: Mapping[str, str]
    """Sample → why it is not in the dataset."""
    statistics: Statistics | None
    """By which images are normalised."""

    @classmethod
    def of(cls, selection: Selection, request: Request) -> Self:
        """Decide what is read.

        Raises:
            NotFoundError: an unknown product, band, timestep, target or class level; similar names are listed.
            InvalidInputError: samples without labels or images, of unequal size without a crop, …: said before
                anything is read.
        """
        request = replace(request, products=request.products or _default(selection))
        _refuse_names(request.products)
        samples = Samples.of(selection)
        count = request.dates if isinstance(request.dates, int) else None
        if count is not None and count < 1:
            raise InvalidInputError(f"dates: got {count}, expected at least 1, or names of timesteps")
        steps = None if request.dates is None or isinstance(request.dates, int) else tuple(request.dates)
        if isinstance(request.bands, dict) and (unknown := sorted(set(request.bands) - set(request.products))):
            raise NotFoundError.of("product in this dataset", unknown[0], request.products)
        series = tuple(SeriesPlan.of(selection, key, request.bands_of(key), steps) for key in request.products)
        target = None if request.target is None else TargetReader.of(selection, samples, request.target)
        kept, left_out = _usable(samples, series, target, request.missing)
        if left_out:
            samples, series = samples.take(kept), tuple(one.take(kept) for one in series)
            target = None if target is None else target.take(kept)
        sizes = [one.resolution for one in series]
        sizes += [target.raster.resolution] if target is not None and target.raster is not None else []
        rule = WindowRule.of(request.crop, request.crop_at, sizes)
        _refuse_sizes(samples, rule)
        counts = [rule.count(bounds) for bounds in samples.bounds]
        return cls(
            request=request,
            samples=samples,
            series=series,
            target=target,
            rule=rule,
            starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            count=count,
            left_out=left_out,
            statistics=_statistics(selection, request.statistics),
        )

    def __len__(self) -> int:
        return int(self.starts[-1])

    def place(self, example: int) -> tuple[int, int]:
        """Sample of an example, and the number of its window."""
        sample = int(np.searchsorted(self.starts, example, side="right")) - 1
        return sample, example - int(self.starts[sample])

    def random(self, epoch: int, example: int) -> np.random.Generator:
        """The generator of an example in an epoch: the same in every process and in any order of reading."""
        return np.random.default_rng((self.request.seed, epoch, example))

    def steps(self, product: int, sample: int, random: np.random.Generator) -> NDArray[np.int64]:
        """Timesteps to read of a series: all, or random ones of those that have files, in time order."""
        series = self.series[product]
        if self.count is None:
            return series.steps_of(sample)
        there = np.flatnonzero(series.observed[series.patterns[sample]])
        if len(there) <= self.count:
            return there
        return np.sort(random.choice(there, self.count, replace=False))

    @staticmethod
    def whole(height: float, width: float) -> Window:
        """The window of a whole sample of these metres."""
        return Window(top=0.0, left=0.0, height=height, width=width)

    def window(self, sample: int, number: int, random: np.random.Generator) -> Window:
        """The window of an example."""
        return self.rule.window(self.samples.bounds[sample], number, random)

    def affine(self, product: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(band,) factor of stored numbers of a series, and (band,) what is added after it.

        Raises:
            InvalidInputError: the statistics know no variation of a band.
        """
        series = self.series[product]
        mean, deviation = np.zeros(len(series.bands)), np.ones(len(series.bands))
        if self.statistics is not None:
            mean, deviation = self.statistics.moments(series.key, series.bands)
            varies = np.isfinite(mean) & (deviation > 0)
            if not varies.all():
                band = series.bands[int(np.argmin(varies))]
                raise InvalidInputError(f"statistics of {series.key}: got no variation of band {band}, expected some")
        return (1 / (series.scale * deviation)).astype(np.float32), (-mean / deviation).astype(np.float32)

    def bounds(self, sample: int, window: Window) -> NDArray[np.float64]:
        """(4,) west, south, east, north of a window, in metres of the sample's CRS."""
        west, _, _, north = self.samples.bounds[sample].tolist()
        west, north = west + window.left, north - window.top
        return np.array([west, north - window.height, west + window.width, north])


def _statistics(selection: Selection, wanted: str | Statistics | None) -> Statistics | None:
    """Statistics, or those of the split set of a name."""
    if not isinstance(wanted, str):
        return wanted
    return read_statistics(selection.sidecar, selection.base, wanted)


def _default(selection: Selection) -> tuple[str, ...]:
    """The only image product of a selection.

    Raises:
        InvalidInputError: it has several, or none.
    """
    info = selection.sidecar.info
    found = [key for key in selection.products if info.product(key).product.kind == "imagery"]
    if len(found) != 1:
        raise InvalidInputError(f"products: got none, expected some of {', '.join(found) or 'a corpus with images'}")
    return (found[0],)


def _refuse_names(products: Sequence[str]) -> None:
    if len(set(products)) != len(products):
        raise InvalidInputError(f"products: got {', '.join(products)}, expected each once")
    taken = sorted(OWN & set(products)) if len(products) > 1 else []
    if taken:
        raise InvalidInputError(f"products: got {taken[0]!r}, which is a key of every sample")


def _usable(
    samples: Samples, series: Sequence[SeriesPlan], target: TargetReader | None, missing: Missing
) -> tuple[NDArray[np.int64], dict[str, str]]:
    """Samples that have a label and an image of every product, and why the others have not.

    Raises:
        InvalidInputError: there are others, and they are not to be dropped; or no sample is left.
    """
    if missing not in ("error", "drop"):
        raise InvalidInputError(f"missing: got {missing!r}, expected error or drop")
    why = np.full(len(samples), "", dtype=object)
    if target is not None:
        why[target.missing] = f"has no label in {target.key}"
    for one in series:
        nothing: NDArray[np.bool_] = np.logical_not(np.any(one.observed, axis=1))
        why[nothing[one.patterns]] = f"has no image of {one.key}"
    out = np.flatnonzero(why != "")
    if len(out) and (missing == "error" or len(out) == len(samples)):
        raise InvalidInputError(
            f"got {counted(len(out), 'sample')} of {len(samples):,} that cannot be trained on: "
            f"{samples.id(int(out[0]))} {why[out[0]]}"
            + ("" if missing == "drop" else '; missing="drop" leaves them out')
        )
    return np.flatnonzero(why == ""), {samples.id(number): str(why[number]) for number in out.tolist()}


def _refuse_sizes(samples: Samples, rule: WindowRule) -> None:
    sides = np.stack([samples.bounds[:, 3] - samples.bounds[:, 1], samples.bounds[:, 2] - samples.bounds[:, 0]], axis=1)
    sizes, first = np.unique(sides.round(3), axis=0, return_index=True)
    if rule.size is None and len(sizes) > 1:
        raise InvalidInputError(
            f"got samples of {len(sizes)} sizes, such as {samples.id(int(first[0]))} and {samples.id(int(first[1]))}; "
            "expected one size, or a crop"
        )
    for number in first.tolist():
        rule.refuse(samples.bounds[number], samples.id(number))
