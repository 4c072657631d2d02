"""Small answers for tests."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from landloom.annotate.answers.values import TaskAnswers
from landloom.products.consensus.judge import answers_of
from landloom.simulate.annotators import CampaignSpec, SimulatedCampaign, simulate_campaign


def task(name: str, *labels: list[int], **rasters: list[int]) -> TaskAnswers:
    """A task of annotators 1, 2, …; rasters are guess, original, reference."""
    own: dict[str, Any] = {key: np.array(raster, np.uint8) for key, raster in rasters.items()}
    return TaskAnswers(task=name, annotators=tuple(range(1, len(labels) + 1)), labels=np.array(labels, np.uint8), **own)


@cache
def campaign(
    seed: int = 1, copying: tuple[float, ...] = (0.0, 0.0, 0.0), references: int = 24, chips: int = 2
) -> SimulatedCampaign:
    """A simulated campaign of chips of 64 x 64 pixels in tasks of 16 x 16."""
    return simulate_campaign(
        CampaignSpec(seed=seed, copying=copying, chips=chips, side=64, task=16, references=references)
    )


def answers(made: SimulatedCampaign) -> list[TaskAnswers]:
    """Its answers."""
    return answers_of(made)
