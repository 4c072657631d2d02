"""The result of a consensus: rasters of each task, looked up in tables of response patterns."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from landloom.annotate.answers.patterns import Patterns
    from landloom.annotate.consensus.quality import Quality


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TaskConsensus:
    """The consensus of one task; all rasters are flat."""

    label: NDArray[np.uint8]
    """(pixel,) code of the class; 0 where nobody labelled."""
    confidence: NDArray[np.float64]
    """(pixel,) calibrated probability of the label."""
    posterior: NDArray[np.float64]
    """(class, pixel) calibrated probabilities."""
    entropy: NDArray[np.float64]
    """(pixel,) of the posterior, relative to that of equal probabilities: 0 to 1."""
    votes: NDArray[np.uint8]
    """(class, pixel) annotators who chose the class."""
    published_label: NDArray[np.uint8]
    """(pixel,) label by the published equation."""
    published_score: NDArray[np.float64]
    """(pixel,) its probability by the published equation."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Consensus:
    """The consensus of all tasks, by response pattern."""

    method: str
    version: str
    tasks: tuple[str, ...]
    """Names, in the order of the answers."""
    patterns: Patterns = field(repr=False)
    label: NDArray[np.uint8] = field(repr=False)
    """(pattern,) code of the class; 0 where nobody labelled."""
    posterior: NDArray[np.float64] = field(repr=False)
    """(pattern, class) probabilities of the method, not calibrated."""
    calibrated: NDArray[np.float64] = field(repr=False)
    """(pattern, class) calibrated probabilities; the same for methods that only count votes."""
    confidence: NDArray[np.float64] = field(repr=False)
    """(pattern,) calibrated probability of the label."""
    published_label: NDArray[np.uint8] = field(repr=False)
    published_score: NDArray[np.float64] = field(repr=False)
    ties: int
    """Pixels whose most probable classes were tied, by this method."""
    published_ties: int
    """The same by the published equation."""
    temperature: float
    """Of the calibration; 1 where there is none."""
    notes: tuple[str, ...]
    """What a reader has to know."""
    parameters: Mapping[str, Any] = field(repr=False)
    """Fitted values, as JSON values."""
    quality: Quality | None = field(repr=False)
    """On reference tasks, each predicted by a model that has not seen it; None with fewer than two."""
    published_quality: Quality | None = field(repr=False)
    """The same of the published equation."""

    @cached_property
    def entropy(self) -> NDArray[np.float64]:
        """(pattern,) entropy of the calibrated probabilities, relative to that of equal ones."""
        rows = np.maximum(self.calibrated, 1e-300)
        return np.asarray(-(self.calibrated * np.log(rows)).sum(axis=1) / np.log(max(rows.shape[1], 2)))

    @cached_property
    def votes(self) -> NDArray[np.uint8]:
        """(pattern, class) annotators who chose the class."""
        return self.patterns.votes().astype(np.uint8)

    def labels(self, task: int) -> NDArray[np.uint8]:
        """(pixel,) labels of a task."""
        return self.label[self.patterns.of_task(task)]

    def of_task(self, task: int) -> TaskConsensus:
        """Everything about a task, by its position among the answers."""
        rows = self.patterns.of_task(task)
        return TaskConsensus(
            label=self.label[rows],
            confidence=self.confidence[rows],
            posterior=self.calibrated[rows].T,
            entropy=self.entropy[rows],
            votes=self.votes[rows].T,
            published_label=self.published_label[rows],
            published_score=self.published_score[rows],
        )

    def document(self) -> dict[str, Any]:
        """As JSON values, without the rasters."""
        return {
            "method": self.method,
            "version": self.version,
            "tasks": len(self.tasks),
            "pixels": int(self.patterns.count.sum()),
            "annotators": list(self.patterns.annotators),
            "classes": list(self.patterns.classes),
            "ties": self.ties,
            "published_ties": self.published_ties,
            "temperature": self.temperature,
            "notes": list(self.notes),
            "parameters": dict(self.parameters),
            "quality": None if self.quality is None else self.quality.document(),
            "published_quality": None if self.published_quality is None else self.published_quality.document(),
        }
