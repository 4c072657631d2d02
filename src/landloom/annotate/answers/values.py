"""What annotators answered to one task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskAnswers:
    """All labels of one task; rasters are flat, uint8 codes, 0 where there is no label.

    Example:
        >>> two = np.array([[5, 5], [5, 6]], np.uint8)
        >>> TaskAnswers(task="a", annotators=(1, 2), labels=two).pixels
        2
    """

    task: str
    """Name of the task, unique among the answers."""
    annotators: tuple[int | str, ...]
    """Who labelled it; each once."""
    labels: NDArray[np.uint8]
    """(annotator, pixel)."""
    guess: NDArray[np.uint8] | None = None
    """(pixel,) the guess that annotators saw; None if they saw none."""
    original: NDArray[np.uint8] | None = None
    """(pixel,) the guess as the model made it, of a blind task and of one with a planted error."""
    reference: NDArray[np.uint8] | None = None
    """(pixel,) the expert's answer; None if the task has none."""
    blind: bool = False
    """Whether annotators saw no guess although there is one."""

    def __post_init__(self) -> None:
        if self.labels.ndim != 2 or self.labels.dtype != np.uint8 or len(self.labels) != len(self.annotators):
            raise InvalidValueError(
                f"{self.task}: got labels of shape {self.labels.shape} and type {self.labels.dtype}, "
                f"expected uint8 of {len(self.annotators)} annotators"
            )
        if len(set(self.annotators)) != len(self.annotators):
            raise InvalidValueError(f"{self.task}: got annotators {self.annotators}, expected each once")
        for name in ("guess", "original", "reference"):
            raster = getattr(self, name)
            if raster is not None and (raster.shape != (self.pixels,) or raster.dtype != np.uint8):
                raise InvalidValueError(
                    f"{self.task}: got a {name} of shape {raster.shape} and type {raster.dtype}, "
                    f"expected uint8 of ({self.pixels},)"
                )
        if self.blind and self.guess is not None:
            raise InvalidValueError(f"{self.task}: got a blind task with a guess, expected none")

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return int(self.labels.shape[1])

    @property
    def model_guess(self) -> NDArray[np.uint8] | None:
        """The guess of the model, whether or not annotators saw it."""
        return self.guess if self.original is None else self.original

    @property
    def planted(self) -> NDArray[np.bool_] | None:
        """(pixel,) where the guess that annotators saw was altered; None if it was not."""
        if self.guess is None or self.original is None:
            return None
        return np.asarray(self.guess != self.original)
