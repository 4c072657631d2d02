"""The order of the queue on the judge's world: how much work the active order saves over random order.

A guess as recipes make it by default, on an area of nine chips; three simulated annotators correct it, one answer after
the other. After every few answers the labels are those of the consensus where there are answers, and the guess where
there are none. Both orders begin with the reference tasks, and both are measured outside of them. The active order
learns as that of the ledger does.

When everything is answered, both orders have the same labels. So the active order needs fewer answers only as far as
the rest of them changes nothing in sum, and the value that it has to reach lies on a flat stretch: `foreseen` is what
an order would need that knows beforehand what each annotator will answer. At a budget of half the answers, tasks are
left over, and the order decides which (`needed_of_half`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.answers.values import TaskAnswers
from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.tasks.calibration import stored_doubt
from landloom.annotate.tasks.learning import SEVERAL, chip_factors, is_due, learned
from landloom.annotate.tasks.order import Pace, error_of_probabilities, random_priorities
from landloom.products.guess.judge import CHIP, judged_guess
from landloom.simulate.annotators import Labeller
from landloom.simulate.judge.composites import JUDGE_SEEDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.engine.run import Listener

SKILLS: Final = (0.85, 0.9, 0.95)
"""Accuracy of each annotator where nothing is copied."""
COPYING: Final = (0.3, 0.5, 0.7)
"""Share of the area that each annotator copies from the guess."""
TASK: Final = 32
"""Side of a task in pixels."""
REFERENCES: Final = 60
"""Reference tasks."""
STEPS: Final = 40
"""Times that accuracy is measured, at equal distances of answers."""
BAR: Final = 0.4
"""Largest share of the answers with which the active order is as accurate as random order at its end."""
CLASSES: Final = 7
CODES: Final = range(1, CLASSES + 1)
SCENARIO: Final = (
    f"{len(SKILLS)} simulated annotators ({', '.join(f'{one:.0%}' for one in SKILLS)} right where nothing is copied, "
    f"{', '.join(f'{one:.0%}' for one in COPYING)} of the area copied from the guess) by turns on tasks of {TASK} × "
    f"{TASK} pixels, {REFERENCES} of them references; the guess is that of the recipe's default on nine chips. An "
    f"answer takes {Pace().task:g} s, and {Pace().pixel:g} s for each changed pixel. Accuracy is that of the "
    "consensus, and of the guess where nobody answered, outside of reference tasks."
)
"""What is simulated, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCurve:
    """Accuracy of the labels while a campaign goes on."""

    shares: tuple[float, ...]
    """Answers given, relative to all."""
    hours: tuple[float, ...]
    """Time of the annotators until then, by the model of their pace."""
    accuracy: tuple[float, ...]
    """Share of pixels with the true class, outside of reference tasks."""

    def reached(self, accuracy: float) -> tuple[float, float]:
        """Share of the answers, and hours, at which an accuracy is first reached; those of the end if it never is."""
        at = next((at for at, one in enumerate(self.accuracy) if one >= accuracy), len(self.accuracy) - 1)
        return self.shares[at], self.hours[at]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedOrder:
    """Both orders on one seed."""

    seed: int
    guess: float
    """Accuracy of the guess."""
    foreseen: float
    """Share of the answers that would do if all answers were known beforehand."""
    active: OrderCurve
    random: OrderCurve

    @property
    def needed(self) -> float:
        """Share of the answers with which the active order is as accurate as random order with all of them."""
        return self.active.reached(self.random.accuracy[-1])[0]

    @property
    def time_needed(self) -> float:
        """The same as a share of the hours."""
        return self.active.reached(self.random.accuracy[-1])[1] / self.random.hours[-1]

    @property
    def needed_of_half(self) -> float:
        """The same for a budget of half the answers, as a share of that budget."""
        half = len(self.random.shares) // 2
        return self.active.reached(self.random.accuracy[half])[0] / self.random.shares[half]

    @property
    def gained(self) -> float:
        """Share of random order's whole gain over the guess that the active order has with `BAR` of the answers."""
        at = int(np.searchsorted(self.active.shares, BAR + 1e-9)) - 1
        whole = self.random.accuracy[-1] - self.guess
        return (self.active.accuracy[at] - self.guess) / whole if whole > 0 else float("nan")

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        own = {
            "needed": self.needed,
            "time_needed": self.time_needed,
            "needed_of_half": self.needed_of_half,
            "gained": self.gained,
        }
        return asdict(self) | own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OrderCase:
    """Tasks of a campaign, and what everybody would answer."""

    truth: NDArray[np.uint8]
    """(task, pixel)."""
    guess: NDArray[np.uint8]
    """(task, pixel)."""
    labels: NDArray[np.uint8]
    """(task, annotator, pixel)."""
    doubt: NDArray[np.uint8]
    """(task, pixel) stored doubt of the guess's own probabilities."""
    chip: NDArray[np.int64]
    """(task,) number of the chip."""
    is_reference: NDArray[np.bool_]
    """(task,)."""

    @classmethod
    def of(cls, seed: int) -> OrderCase:
        """Train a guess on the judge's area and let three annotators label it."""
        truth, guess, probabilities = judged_guess(seed)
        people = [
            Labeller.drawn(seed * 100 + at, classes=CLASSES, accuracy=skill, copying=copying)
            for at, (skill, copying) in enumerate(zip(SKILLS, COPYING, strict=True))
        ]
        rows, columns = truth.shape[0] // CHIP, truth.shape[1] // CHIP
        labels = np.zeros((len(people), *truth.shape), np.uint8)
        for chip in range(rows * columns):
            square = np.s_[chip // columns * CHIP :, chip % columns * CHIP :]
            own = (truth[square][:CHIP, :CHIP].astype(np.int64) - 1, guess[square][:CHIP, :CHIP].astype(np.int64) - 1)
            for number, one in enumerate(people):
                made = one.label(*own, chip=chip, row=0, column=0)
                labels[number][square][:CHIP, :CHIP] = made + 1
        tasks = _tasks(truth)
        references = np.zeros(len(tasks), np.bool_)
        references[np.random.default_rng(seed).permutation(len(tasks))[:REFERENCES]] = True
        return cls(
            truth=tasks,
            guess=_tasks(guess),
            labels=np.stack([_tasks(one) for one in labels], axis=1),
            doubt=_tasks(stored_doubt(error_of_probabilities(probabilities))),
            chip=_tasks(np.arange(rows * columns).reshape(rows, columns).repeat(CHIP, 0).repeat(CHIP, 1))[:, 0],
            is_reference=references,
        )

    def answers(self, at: int, done: NDArray[np.bool_]) -> TaskAnswers:
        """The answers to one task: (task, annotator) True where there is one."""
        return TaskAnswers(
            task=str(at),
            annotators=tuple(np.flatnonzero(done[at]).tolist()),
            labels=np.ascontiguousarray(self.labels[at, done[at]]),
            guess=self.guess[at],
            reference=self.truth[at] if self.is_reference[at] else None,
        )

    def published(self, done: NDArray[np.bool_]) -> NDArray[np.uint8]:
        """(task, pixel) labels after some answers: (task, annotator) True where there is one."""
        started = np.flatnonzero(done.any(axis=1)).tolist()
        labels = self.guess.copy()
        found = consensus([self.answers(at, done) for at in started], CODES)
        for place, at in enumerate(started):
            labels[at] = found.labels(place)
        return labels

    def accuracy(self, done: NDArray[np.bool_]) -> float:
        """Accuracy outside of reference tasks after some answers: (task, annotator) True where there is one."""
        measured = ~self.is_reference
        return float((self.published(done)[measured] == self.truth[measured]).mean())

    def foreseen(self) -> float:
        """Share of the answers that would do if everything were known beforehand.

        Whole tasks are answered, those first whose published labels gain most by all their answers. No order can know
        that: it depends on what each annotator will answer, besides where the guess is wrong.
        """
        done = np.ones(self.labels.shape[:2], np.bool_)
        right = (self.published(done) == self.truth).sum(axis=1) - (self.guess == self.truth).sum(axis=1)
        gains = np.sort(right[~self.is_reference])[::-1]
        needed = int(np.argmax(np.cumsum(gains) >= gains.sum())) + 1 if gains.sum() > 0 else 0
        return float((self.is_reference.sum() + needed) / len(right))

    def run(self, seed: int, *, active: bool) -> OrderCurve:
        """Work through all tasks in one order, annotators by turns."""
        tasks, people = self.labels.shape[:2]
        done = np.zeros((tasks, people), np.bool_)
        done[self.is_reference] = True
        changed = (self.labels != self.guess[:, None]).sum(axis=2)
        pace, count = Pace(), int(done.sum())
        order = ActiveOrder(self, done, count) if active else random_priorities(tasks, seed)
        seconds = float(pace.seconds(changed[done]).sum())
        shares, hours, accuracy = [], [], []
        marks = {count, *np.linspace(0, tasks * people, STEPS + 1).astype(int).tolist()}
        while count <= tasks * people:
            if count in marks:
                shares.append(count / (tasks * people))
                hours.append(seconds / 3600)
                accuracy.append(self.accuracy(done))
            if count == tasks * people:
                break
            who = count % people if not done[:, count % people].all() else int(np.argmin(done.sum(axis=0)))
            priorities = order.priorities if isinstance(order, ActiveOrder) else order
            at = int(np.argmax(np.where(done[:, who], -1, priorities)))
            done[at, who] = True
            seconds += float(pace.seconds(changed[at, who]))
            count += 1
            if isinstance(order, ActiveOrder):
                order.answered(at, count)
        return OrderCurve(shares=tuple(shares), hours=tuple(hours), accuracy=tuple(accuracy))


class ActiveOrder:
    """The order of the queue, as the ledger keeps it: a task after each answer, all of them when that is due.

    Args:
        case: the campaign.
        done: (task, annotator) True where there is an answer; its owner adds answers.
        count: answers so far.
    """

    def __init__(self, case: OrderCase, done: NDArray[np.bool_], count: int) -> None:
        self._case, self._done = case, done
        self._factor = np.ones(len(done))
        self.wrong, self.priorities = np.zeros(len(done)), np.zeros(len(done))
        self._renew(count)

    def answered(self, task: int, count: int) -> None:
        """Take note of an answer to a task; so many there are now."""
        self._refresh(task)
        if is_due(count, self._ordered):
            self._renew(count)

    def _refresh(self, task: int) -> None:
        case, copies = self._case, self._done.shape[1]
        own = case.labels[task, self._done[task]]
        found = self._model.expect(case.guess[task], case.doubt[task], own, copies=copies, factor=self._factor[task])
        self.wrong[task], self.priorities[task] = found.wrong, found.per_second

    def _renew(self, count: int) -> None:
        case, done = self._case, self._done
        known = np.flatnonzero(case.is_reference).tolist()
        self._ordered = count
        self._model = learned([case.answers(at, done) for at in known], [case.doubt[at] for at in known], CODES)
        several = case.is_reference | (done.sum(axis=1) >= SEVERAL)
        wrong = np.where(case.is_reference, (case.guess != case.truth).sum(axis=1), self.wrong)
        expected = self._model.curve.error[case.doubt].sum(axis=1)
        factors = chip_factors(case.chip[several], expected[several], wrong[several])
        self._factor = np.array([factors.get(chip, 1.0) for chip in case.chip.tolist()])
        for task in range(len(done)):
            self._refresh(task)


def evaluate_order(seeds: Sequence[int] = JUDGE_SEEDS, listener: Listener | None = None) -> list[JudgedOrder]:
    """Compare the active order with random order on every seed."""
    judged = []
    for seed in seeds:
        case = OrderCase.of(seed)
        judged.append(
            JudgedOrder(
                seed=seed,
                guess=float((case.guess == case.truth)[~case.is_reference].mean()),
                foreseen=case.foreseen(),
                active=case.run(seed, active=True),
                random=case.run(seed, active=False),
            )
        )
        if listener is not None:
            listener.advanced(f"seed {seed}", None)
    return judged


def order_table(judged: Sequence[JudgedOrder]) -> list[tuple[str, ...]]:
    """A row for each seed."""
    return [
        (
            f"seed {one.seed}",
            f"{one.guess:.2%}",
            f"{one.random.accuracy[-1]:.2%}",
            f"{one.needed:.0%}",
            f"{one.time_needed:.0%}",
            f"{one.foreseen:.0%}",
            f"{one.needed_of_half:.0%}",
            f"{one.gained:.0%}",
        )
        for one in judged
    ]


def _tasks(raster: NDArray[Any]) -> NDArray[Any]:
    """(task, pixel) squares of a raster, row by row."""
    rows, columns = raster.shape[0] // TASK, raster.shape[1] // TASK
    return np.ascontiguousarray(
        raster.reshape(rows, TASK, columns, TASK).transpose(0, 2, 1, 3).reshape(rows * columns, TASK * TASK)
    )
