"""Reading every sample of a dataset once, and naming all that cannot be used."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import FaultError, InvalidInputError, Problem, StoreError, bullets, counted, grouped
from landloom.training.datasets.pixels import fill_image
from landloom.training.datasets.targets import Dense

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.training.datasets.plan import DatasetPlan
    from landloom.training.datasets.series import SeriesReader

Affine = tuple["NDArray[np.float32]", "NDArray[np.float32]"]


def check_samples(
    plan: DatasetPlan,
    readers: Sequence[SeriesReader],
    affine: Sequence[Affine],
    threads: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Read the whole series and the whole target of every sample.

    Raises:
        InvalidInputError: some cannot be used; every one is counted, and the first of each kind is named.
    """

    def one(number: int) -> list[Problem]:
        name = plan.samples.id(number)
        try:
            return [Problem(where=name, what=what) for what in faults(plan, readers, affine, number)]
        except (InvalidInputError, FaultError, StoreError) as error:
            return [Problem(where=name, what=str(error).replace(name, "the sample"))]

    problems: list[Problem] = []
    count = len(plan.samples)
    with ThreadPoolExecutor(threads) as pool:
        for done, found in enumerate(pool.map(one, range(count)), 1):
            problems += found
            if progress is not None:
                progress(done, count)
    if problems:
        names = {problem.where for problem in problems}
        raise InvalidInputError(
            f"got {counted(len(names), 'sample')} of {count:,} that cannot be trained on:\n{bullets(grouped(problems))}"
        )


def faults(plan: DatasetPlan, readers: Sequence[SeriesReader], affine: Sequence[Affine], number: int) -> Iterator[str]:
    """Why a sample cannot be used, by its whole series and its whole target; nothing if it can.

    Args:
        plan: of the dataset.
        readers: of its products.
        affine: factor and summand of the bands of each.
        number: of the sample.
    """
    for reader, (gain, shift) in zip(readers, affine, strict=True):
        own = reader.plan
        stored = reader.usable(number, own.steps_of(number))
        shape = stored.numbers.shape[2:]
        image = np.empty((len(stored.steps), len(own.bands), *shape), np.float32)
        valid = np.empty((len(stored.steps), *shape), np.bool_)
        marks = (own.nodata, own.saturated)
        fill_image(stored.numbers, stored.steps, stored.bands, (0, 0), marks, gain, shift, image, valid)
        if not valid.any():
            yield f"a series of {own.key} without a valid pixel"
    if plan.target is not None:
        west, south, east, north = plan.samples.bounds[number].tolist()
        target = plan.target.read(number, plan.whole(north - south, east - west))
        if isinstance(target, Dense) and not target.known.any():
            yield f"no labelled pixel in {plan.target.key}"
