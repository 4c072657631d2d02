"""Series of a dataset without labels: means of samples, or single pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.pretrain.learn import UnlabelledSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.training.datasets.dataset import CorpusDataset

Unit = Literal["pixel", "sample"]
_AT_ONCE: Final = 8


def read_series(
    dataset: CorpusDataset,
    unit: Unit,
    *,
    pixels: int | None = None,
    seed: int = 0,
    done: Callable[[str], None] = lambda _: None,
) -> UnlabelledSeries:
    """All series of a dataset in memory; those that were never seen are left out.

    Args:
        dataset: images as stored (not normalised), of one product.
        unit: a series is the mean over the valid pixels of a sample, or a pixel.
        pixels: most pixels of a sample, drawn at random; None for all.
        seed: of the draw.
        done: is called with the id of each sample.

    Raises:
        InvalidInputError: no series at all.
    """
    parts = []
    for number, (name, image, dates, valid) in enumerate(samples(dataset)):
        if unit == "sample":
            parts.append(mean_series(image, dates, valid))
        else:
            seen = np.flatnonzero(valid.any(axis=0))
            if pixels is not None and len(seen) > pixels:
                seen = np.sort(np.random.default_rng((seed, number)).choice(seen, pixels, replace=False))
            parts.append(pixel_series(image, dates, valid, seen))
        done(name)
    joined = joined_series(parts)
    kept = np.flatnonzero(joined.valid.any(axis=1))
    if not len(kept):
        raise InvalidInputError(f"got no {unit} that was ever seen in {len(parts)} samples, expected some")
    return joined.rows(kept)


def samples(dataset: CorpusDataset) -> Iterator[tuple[str, NDArray[Any], NDArray[Any], NDArray[Any]]]:
    """Id, (time, band, y, x) image, (time) dates and (time, y, x) valid of each sample, in order, without padding."""
    for start in range(0, len(dataset), _AT_ONCE):
        for sample in dataset.__getitems__(range(start, min(start + _AT_ONCE, len(dataset)))):
            length = int(sample["length"])
            image, dates, valid = (sample[name].numpy()[:length] for name in ("image", "dates", "valid"))
            yield str(sample["id"]), image, dates, valid


def mean_series(image: NDArray[Any], dates: NDArray[Any], valid: NDArray[Any]) -> UnlabelledSeries:
    """The series of means over the valid pixels of a sample."""
    count = valid.sum(axis=(1, 2))
    total = np.where(valid[:, None], image, 0).sum(axis=(2, 3), dtype=np.float64)
    mean = (total / np.maximum(count, 1)[:, None]).astype(np.float32)
    return UnlabelledSeries(image=mean[None], dates=dates[None].astype(np.int64), valid=(count > 0)[None])


def pixel_series(
    image: NDArray[Any], dates: NDArray[Any], valid: NDArray[Any], places: NDArray[Any] | None = None
) -> UnlabelledSeries:
    """The series of pixels of a sample, of all or of some, by their place in row-major order."""
    chosen = slice(None) if places is None else places
    series = image.reshape(*image.shape[:2], -1)[:, :, chosen].transpose(2, 0, 1)
    there = valid.reshape(len(valid), -1)[:, chosen].T
    return UnlabelledSeries(
        image=np.ascontiguousarray(series, np.float32),
        dates=np.tile(dates.astype(np.int64), (len(there), 1)),
        valid=np.ascontiguousarray(there),
    )


def joined_series(parts: Sequence[UnlabelledSeries]) -> UnlabelledSeries:
    """Several below one another; shorter series are padded at the end.

    Raises:
        InvalidInputError: none at all.
    """
    if not parts:
        raise InvalidInputError("got no sample to read series from, expected one at least")
    longest = max(part.valid.shape[1] for part in parts)

    def padded(array: NDArray[Any]) -> NDArray[Any]:
        return np.pad(array, [(0, 0), (0, longest - array.shape[1])] + [(0, 0)] * (array.ndim - 2))

    return UnlabelledSeries(
        image=np.concatenate([padded(part.image) for part in parts]),
        dates=np.concatenate([padded(part.dates) for part in parts]),
        valid=np.concatenate([padded(part.valid) for part in parts]),
    )
