"""The order of the queue: doubt about a guess, the pace of people, and random order as the control.

The priority of a task is the number of wrong pixels that more answers are expected to correct in the published labels,
for each second of work (`gain`). Before the first answer, the pixels of a task that are expected to be wrong follow
from the doubt of the guess, as calibrated on the experts' answers (`calibration`); afterwards, from where the answers
differ from it. The time of an answer is that of looking at a task, plus that of each pixel to be changed.

How fast a person is changes the gain per second, but hardly the order: at any pace, more wrong pixels are more gain
per second. So there is one order for everybody, and nobody's speed has to be measured for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SKILL: Final = 0.85
"""Accuracy that is assumed of an answer where nothing is known about its annotator."""
BLANK: Final = 0.75
"""Share of wrong pixels that is assumed of a task without a guess: nothing is labelled yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a person takes.

    Example:
        >>> float(Pace(task=5.0, pixel=0.02).seconds(100))
        7.0
    """

    task: float = 6.0
    """Seconds to look at a task."""
    pixel: float = 0.02
    """Seconds for each changed pixel."""

    def __post_init__(self) -> None:
        if not (self.task > 0 and self.pixel >= 0):
            raise InvalidValueError(f"got {self.task} s per task and {self.pixel} s per pixel, expected positive times")

    def seconds(self, changed: ArrayLike) -> Any:
        """Expected seconds of tasks with so many changed pixels; same shape as `changed`."""
        return self.task + self.pixel * np.asarray(changed, dtype=np.float64)


def error_of_probabilities(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Probability that the guess is wrong at each pixel, as its own probabilities state it.

    It is half of what the most probable class lacks to be certain against the second one: the probability of the second
    where there are two. Of the measures that we compared (also 1 - the largest probability, and the entropy) it
    ranked tasks best.

    Args:
        probabilities: (class, …) non-negative, of any scale; pixels without any count as unknown.

    Returns:
        (…) 0 to 1.

    Example:
        >>> error_of_probabilities([[1.0, 0.5, 0.7], [0.0, 0.5, 0.3]]).round(2).tolist()
        [0.0, 0.5, 0.3]
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim < 1 or len(values) < 2 or (values < 0).any() or not np.isfinite(values).all():
        raise InvalidValueError(f"got probabilities of shape {values.shape}, expected (class, …) of two or more, ≥ 0")
    total = values.sum(axis=0)
    second, first = np.partition(values, len(values) - 2, axis=0)[-2:]
    return np.where(total > 0, (1 - (first - second) / np.where(total > 0, total, 1)) / 2, BLANK)


def error_of_confidence(confidence: ArrayLike) -> NDArray[np.float64]:
    """Probability that the guess is wrong, from its confidence.

    Args:
        confidence: (…) probability of the guessed class, 0 to 1.
    """
    values = np.asarray(confidence, dtype=np.float64)
    if not ((values >= 0) & (values <= 1)).all():
        raise InvalidValueError("got a confidence outside 0 to 1, expected probabilities")
    return 1 - values


def with_suspects(error: ArrayLike, suspects: ArrayLike) -> NDArray[np.float64]:
    """Combine expected errors with a list of suspected labels, as independent evidence.

    Args:
        error: (…) probability that the guess is wrong.
        suspects: (…) probability that the label is wrong according to the list; 0 where it says nothing.

    Example:
        >>> with_suspects([0.2, 0.2], [0.0, 0.5]).round(3).tolist()
        [0.2, 0.6]
    """
    return 1 - (1 - np.asarray(error, np.float64)) * (1 - np.asarray(suspects, np.float64))


def disagreement(labels: ArrayLike) -> float:
    """Share of the pixels on which answers differ; 0 with fewer than two.

    Args:
        labels: (annotator, pixel) uint8.

    Example:
        >>> disagreement([[1, 1, 2, 2], [1, 2, 2, 2]])
        0.25
    """
    values = np.asarray(labels)
    if len(values) < 2 or not values.size:
        return 0.0
    return float((values != values[0]).any(axis=0).mean())


def random_priorities(count: int, seed: int) -> NDArray[np.float64]:
    """(task,) priorities of the control: a random order.

    Example:
        >>> bool((random_priorities(3, seed=1) == random_priorities(3, seed=1)).all())
        True
    """
    return np.random.default_rng([seed, 0x0DE2]).random(count)
