"""Simulated annotators: people of known skill who label known land cover, some of whom merely copy the guess.

Two families. *Clumps*: each true class is confused with others at fixed rates, in clumps of pixels; where the annotator
copies, the guess is kept as it is. Models of consensus assume this, but for the clumps. *Objects*: whole objects
get a wrong class, errors grow with every task of a session, and how often the guess is copied depends on the class; no
model assumes that. All is a function of position and seed, so tasks may be labelled in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from landloom.simulate.noise import fractal, nearest_seed, ranks, uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Family = Literal["clumps", "objects"]
"""How errors and copying are distributed."""

_OCTAVES: Final = 2
_CLUMP: Final = 14.0
_COPIED: Final = 48.0
_OBJECT: Final = 11.0
_SESSION: Final = 64
_FATIGUE: Final = 1.5
_CHIP: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Labeller:
    """One simulated annotator, or the model behind a guess.

    Example:
        >>> one = Labeller.drawn(7, classes=3, accuracy=0.9)
        >>> truth = np.zeros((32, 32), np.int64)
        >>> bool((one.label(truth, chip=0, row=0, column=0) == 0).mean() > 0.5)
        True
    """

    seed: int
    confusion: NDArray[np.float64]
    """(true class, label) rates of what is not copied; rows sum to 1."""
    copying: NDArray[np.float64]
    """(true class,) share of the area on which the guess is kept."""
    family: Family = "clumps"

    @classmethod
    def drawn(
        cls, seed: int, *, classes: int, accuracy: float, copying: float = 0.0, family: Family = "clumps"
    ) -> Labeller:
        """An annotator whose accuracy differs between classes, and who confuses each with few others.

        Args:
            seed: of the draw and of all its errors.
            classes: number of classes.
            accuracy: mean over classes, where nothing is copied.
            copying: share of the area that is copied; in the family of objects it differs between classes.
            family: of errors.
        """
        rng = np.random.default_rng(seed)
        table = np.zeros((classes, classes))
        errors = (1 - accuracy) * rng.dirichlet(np.full(classes, 4.0)) * classes
        for row, wrong in enumerate(np.minimum(errors, 0.6)):
            others = np.delete(np.arange(classes), row)
            table[row, others] = wrong * rng.dirichlet(np.full(classes - 1, 0.4))
            table[row, row] = 1 - wrong
        rates = np.full(classes, copying)
        if family == "objects":
            rates = np.minimum(copying * rng.permutation(np.linspace(0.5, 1.5, classes)), 0.95)
        return cls(seed=seed, confusion=table, copying=rates, family=family)

    def label(
        self,
        truth: NDArray[np.int64],
        guess: NDArray[np.int64] | None = None,
        *,
        chip: int,
        row: int,
        column: int,
        done: int | None = None,
    ) -> NDArray[np.int64]:
        """Label a task.

        Args:
            truth: (y, x) positions of the true classes.
            guess: (y, x) of the guess shown; None if there is none, so that nothing is copied.
            chip: number of the chip.
            row: first row in the chip.
            column: first column in the chip.
            done: tasks that the annotator has done before, which makes objects more often wrong; None for no fatigue.

        Returns:
            (y, x) positions of classes.
        """
        y, x = np.mgrid[row : row + truth.shape[0], column : column + truth.shape[1]].astype(np.float64)
        x += _CHIP * chip
        if self.family == "clumps":
            drawn, kept = self._field(x, y, _CLUMP, 1), self._field(x, y, _COPIED, 2)
            table = self.confusion
        else:
            drawn, kept = self._objects(x, y, truth, 3), self._objects(x, y, truth, 4)
            table = self.confusion if done is None else _with_errors(self.confusion, _tiredness(done))
        labels = _drawn(table, truth, drawn)
        if guess is None:
            return labels
        return np.where(kept < self.copying[truth], guess, labels)

    def _field(self, x: NDArray[np.float64], y: NDArray[np.float64], scale: float, number: int) -> NDArray[np.float64]:
        return ranks(fractal(x, y, scale=scale, octaves=_OCTAVES, seed=self.seed * 16 + number), _OCTAVES)

    def _objects(
        self, x: NDArray[np.float64], y: NDArray[np.float64], truth: NDArray[np.int64], number: int
    ) -> NDArray[np.float64]:
        """One number for each object: cells that everybody sees, split by true class."""
        i, j = nearest_seed(x / _OBJECT, y / _OBJECT, 5)
        return uniform(i * 64 + truth, j, self.seed * 16 + number)


def _tiredness(done: int) -> float:
    """Factor of the error rates after some tasks; 1 on average over a session."""
    return 1 + _FATIGUE * ((done % _SESSION) / (_SESSION - 1) - 0.5)


def _with_errors(confusion: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    table = confusion * factor
    np.fill_diagonal(table, 0.0)
    table *= np.minimum(0.9 / np.maximum(table.sum(axis=1, keepdims=True), 1e-12), 1.0)
    np.fill_diagonal(table, 1 - table.sum(axis=1))
    return table


def _drawn(table: NDArray[np.float64], truth: NDArray[np.int64], number: NDArray[np.float64]) -> NDArray[np.int64]:
    """Classes drawn from the rows of a table by numbers in [0, 1); the true class takes the smallest numbers."""
    labels = truth.copy()
    for row in range(len(table)):
        order = np.concatenate([[row], np.delete(np.arange(len(table)), row)])
        steps = np.cumsum(table[row, order])[:-1]
        own = truth == row
        labels[own] = order[np.searchsorted(steps, number[own], side="right")]
    return labels


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSpec:
    """A simulated campaign: chips, annotators and draws."""

    seed: int
    skills: Sequence[float] = (0.65, 0.75, 0.85)
    """Accuracy of each annotator where nothing is copied."""
    copying: Sequence[float] = (0.0, 0.0, 0.0)
    """Share of the area that each annotator copies."""
    guess_accuracy: float = 0.7
    family: Family = "clumps"
    chips: int = 20
    side: int = 256
    """Side of a chip in pixels."""
    task: int = 32
    """Side of a task in pixels."""
    classes: int = 7
    references: int = 60
    """Tasks with an expert's answer."""
    blind: float = 0.03
    """Share of the tasks without a guess."""
    planted: float = 0.01
    """Share of the tasks with a planted error."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedTask:
    """One labelled task with its truth; rasters are flat codes from 1."""

    name: str
    truth: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    """(annotator, pixel)."""
    guess: NDArray[np.uint8] | None
    """As shown."""
    original: NDArray[np.uint8] | None
    """As the model made it, of blind and planted tasks."""
    is_reference: bool
    """Whether the truth is known as an expert's answer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedCampaign:
    """All tasks of a simulated campaign."""

    spec: CampaignSpec
    tasks: tuple[SimulatedTask, ...] = field(repr=False)
    annotators: tuple[Labeller, ...]


def land_cover(seed: int, classes: int, chip: int, side: int) -> NDArray[np.int64]:
    """Positions of the true classes of a chip; classes are of different frequency.

    Returns:
        (y, x).
    """
    y, x = np.mgrid[0:side, 0:side].astype(np.float64)
    x += _CHIP * chip
    rng = np.random.default_rng(seed)
    level = rng.permutation(np.linspace(0.0, 0.12, classes))
    fields = [fractal(x, y, scale=120.0, octaves=5, seed=seed * 16 + 100_003 * at) for at in range(classes)]
    return np.asarray(np.argmax(np.stack(fields) + level[:, None, None], axis=0))


def simulate_campaign(spec: CampaignSpec, truths: Sequence[NDArray[np.int64]] | None = None) -> SimulatedCampaign:
    """Label every task of every chip by every annotator.

    Args:
        spec: of the campaign.
        truths: of each chip, (y, x) positions of the true classes; by default land cover of the campaign's own.
    """
    people = tuple(
        Labeller.drawn(spec.seed * 100 + at, classes=spec.classes, accuracy=skill, copying=copying, family=spec.family)
        for at, (skill, copying) in enumerate(zip(spec.skills, spec.copying, strict=True), 1)
    )
    model = Labeller.drawn(spec.seed * 100 + 99, classes=spec.classes, accuracy=spec.guess_accuracy, family=spec.family)
    rng = np.random.default_rng(spec.seed)
    windows = _windows(spec)
    kinds = _kinds(spec, rng, len(windows))
    if truths is None:
        truths = [land_cover(spec.seed, spec.classes, chip, spec.side) for chip in range(spec.chips)]
    tasks = []
    for done, ((chip, row, column), kind) in enumerate(zip(windows, kinds, strict=True)):
        truth = truths[chip][row : row + spec.task, column : column + spec.task]
        original = model.label(truth, chip=chip, row=row, column=column)
        shown: NDArray[np.int64] | None = original
        if kind == "blind":
            shown = None
        elif kind == "planted":
            most = np.bincount(original.ravel()).argmax()
            shown = np.where(original == most, (most + 1 + rng.integers(spec.classes - 1)) % spec.classes, original)
        given = [one.label(truth, shown, chip=chip, row=row, column=column, done=done) for one in people]
        tasks.append(
            SimulatedTask(
                name=f"{chip:03d}_{row:03d}_{column:03d}",
                truth=_codes(truth),
                labels=np.stack([_codes(one) for one in given]),
                guess=None if shown is None else _codes(shown),
                original=_codes(original) if kind in ("blind", "planted") else None,
                is_reference=kind == "reference",
            )
        )
    return SimulatedCampaign(spec=spec, tasks=tuple(tasks), annotators=people)


def _windows(spec: CampaignSpec) -> list[tuple[int, int, int]]:
    """Chip, first row and first column of every task."""
    starts = range(0, spec.side, spec.task)
    return [(chip, row, column) for chip in range(spec.chips) for row in starts for column in starts]


def _kinds(spec: CampaignSpec, rng: np.random.Generator, number: int) -> list[str]:
    kinds = np.full(number, "regular", dtype="<U9")
    order = rng.permutation(number)
    blind, planted = round(spec.blind * number), round(spec.planted * number)
    kinds[order[: spec.references]] = "reference"
    kinds[order[spec.references : spec.references + blind]] = "blind"
    kinds[order[spec.references + blind : spec.references + blind + planted]] = "planted"
    return [str(one) for one in kinds]


def _codes(classes: NDArray[np.int64]) -> NDArray[np.uint8]:
    return (classes + 1).astype(np.uint8).ravel()
