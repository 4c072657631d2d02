"""The table of tasks: what an example is, what is learnt by default, and which models can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.models.table import MODELS, ModelKind, model_kind

Unit = Literal["sample", "parcel", "pixel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is learnt."""

    name: str
    title: str
    unit: Unit
    """What has a series: a sample as the mean of its pixels, a parcel likewise, or a pixel."""
    target: str
    """Kind of target by default."""
    targets: tuple[str, ...]
    """Kinds that are possible."""
    images: bool = False
    """Whether models of images can learn it."""
    dated: bool = False
    """Whether dates of changes are learnt."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names of models that can learn it."""
        able = (one for one in MODELS.values() if one.dated == self.dated and (one.eats == "series" or self.images))
        return tuple(one.name for one in able)

    def model(self, name: str) -> ModelKind:
        """A model for it.

        Raises:
            NotFoundError: no such model.
            InvalidInputError: one that cannot learn it.
        """
        kind = model_kind(name)
        if name not in self.models:
            raise InvalidInputError(f"task {self.name}: got model {name!r}, expected one of {', '.join(self.models)}")
        return kind


TASKS: Final[dict[str, Task]] = {
    one.name: one
    for one in (
        Task(
            name="lulc",
            title="Land use and land cover of samples",
            unit="sample",
            target="fractions",
            targets=("fractions", "label", "value"),
        ),
        Task(
            name="parcels", title="Class or number of parcels", unit="parcel", target="mask", targets=("mask", "value")
        ),
        Task(
            name="dense",
            title="Class or number of every pixel",
            unit="pixel",
            target="mask",
            targets=("mask", "value"),
            images=True,
        ),
        Task(
            name="change",
            title="Dates of abrupt changes",
            unit="pixel",
            target="value",
            targets=("value",),
            dated=True,
        ),
    )
}
"""Name → task."""


def task_of(name: str) -> Task:
    """A task of the table.

    Raises:
        NotFoundError: there is none by that name.

    Example:
        >>> task_of("lulc").models
        ('forest', 'boosting', 'tempcnn', 'ltae', 'presto', 'galileo-nano')
    """
    if name not in TASKS:
        raise NotFoundError.of("task", name, TASKS)
    return TASKS[name]
