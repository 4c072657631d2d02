"""The order of the queue: expected gain per second, and random order as its control.

The gain of one more answer is the number of wrong pixels that it is expected to correct. Before the first answer, the
pixels of a task that are expected to be wrong follow from the probabilities of the guess (or from its confidence, or
from a list of suspected labels); afterwards, from where the answers disagree. The time of an answer is that of looking
at a task, plus that of each pixel to be changed.

How fast a person is changes the gain per second, but not the order: at any pace, more wrong pixels are more gain per
second. So there is one order for everybody, and nobody's speed has to be measured for it.
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
    """Probability that the guess is wrong at each pixel, from the probabilities of its classes.

    It is the mean of two measures: 1 − the largest probability, and the entropy of the probabilities relative to the
    largest possible one. The second separates doubt between two classes from doubt among all of them.

    Args:
        probabilities: (class, …) non-negative, of any scale; pixels without any count as unknown.

    Returns:
        (…) 0 to 1.

    Example:
        >>> error_of_probabilities([[1.0, 0.5], [0.0, 0.5]]).tolist()
        [0.0, 0.75]
    """
    values = np.asarray(probabilities, dtype=np.float64)
    if values.ndim < 1 or len(values) < 2 or (values < 0).any() or not np.isfinite(values).all():
        raise InvalidValueError(f"got probabilities of shape {values.shape}, expected (class, …) of two or more, ≥ 0")
    total = values.sum(axis=0)
    shares = values / np.where(total > 0, total, 1)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy = -(shares * logs).sum(axis=0) / np.log(len(values))
    error = (1 - shares.max(axis=0) + entropy) / 2
    return np.where(total > 0, error, BLANK)


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


def remaining_error(
    guess_error: ArrayLike, answers: ArrayLike, disagreement: ArrayLike, *, skill: float = SKILL
) -> NDArray[np.float64]:
    """Share of the pixels of tasks that is expected to be wrong if nobody answers any more.

    Args:
        guess_error: (task,) share expected to be wrong in the guess, or `BLANK` without a guess.
        answers: (task,) number of answers so far.
        disagreement: (task,) share of the pixels on which the answers differ; 0 with fewer than two.
        skill: accuracy of an answer.

    Returns:
        (task,) 0 to 1. Unanimous pixels of n answers are wrong as often as n independent annotators err together
        relative to being right together; pixels with different answers are wrong half the time.

    Example:
        >>> remaining_error([0.3, 0.3, 0.3], [0, 1, 2], [0, 0, 0.2]).round(3).tolist()
        [0.3, 0.07, 0.111]
    """
    error, count, split = np.broadcast_arrays(
        np.asarray(guess_error, np.float64), np.asarray(answers, np.float64), np.asarray(disagreement, np.float64)
    )
    miss = 1 - skill
    together = error * miss**count
    unanimous = together / np.maximum(together + (1 - error) * skill**count, 1e-12)
    later = (1 - split) * unanimous + split / 2
    return np.where(count == 0, error, later)


def gain_per_second(
    guess_error: ArrayLike,
    pixels: ArrayLike,
    answers: ArrayLike = 0,
    disagreement: ArrayLike = 0.0,
    *,
    skill: float = SKILL,
) -> NDArray[np.float64]:
    """Wrong pixels that one more answer corrects per second at the default pace, which is the priority of a task.

    The kind of a task is no argument: reference, blind and planted tasks must not stand out by their order.

    Args:
        guess_error: (task,) share of the pixels expected to be wrong in the guess as it was before any planted error.
        pixels: (task,) number of pixels.
        answers: (task,) number of answers so far.
        disagreement: (task,) share of the pixels on which they differ.
        skill: accuracy of an answer.

    Example:
        >>> gain_per_second([0.0, 0.1, 0.4], 1000).round(1).tolist()
        [0.0, 10.6, 24.3]
    """
    wrong = remaining_error(guess_error, answers, disagreement, skill=skill) * np.asarray(pixels, np.float64)
    corrected = wrong * skill
    seconds: NDArray[np.float64] = Pace().seconds(wrong)
    return np.asarray(corrected / seconds)


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
