"""Mean series of the classes over some chips of a campaign, which the page draws behind a pixel's own series."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.annotate.ledger.answers import answered_tasks
from landloom.pipelines.annotation.profiles import Profiles, class_profiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.annotate.ledger.values import AnsweredTask
    from landloom.server.annotate.state import AppState

_CHIPS: Final = 6
"""Chips that profiles are computed from."""


def profiles_of(state: AppState) -> Profiles:
    """The profiles of a campaign, computed once.

    Labels are the guess as it was made, before any of it was hidden or altered, else the experts' answers.
    """
    with state.profiling:
        if state.profiles is None:
            labels = _labels(state)
            bands = [band.name for band in state.windows.bands]
            state.profiles = class_profiles(labels, state.windows.chip, labels.get, bands)
        return state.profiles


def _labels(state: AppState) -> dict[str, NDArray[np.uint8]]:
    """Chip → (y, x) codes, of the first chips."""
    rows = answered_tasks(state.ledger, state.campaign.name, unanswered=True)
    found: dict[str, NDArray[np.uint8]] = {}
    for chip, tasks in islice(groupby(rows, lambda task: task.window.chip), _CHIPS):
        labels = np.zeros(state.windows.chip(chip).valid.shape[1:], np.uint8)
        for task in tasks:
            _put(labels, task)
        found[chip] = labels
    return found


def _put(labels: NDArray[np.uint8], task: AnsweredTask) -> None:
    place, raster = task.window, next((one for one in (task.original, task.guess, task.reference) if one), None)
    if raster is not None:
        rows, columns = slice(place.row, place.row + place.height), slice(place.column, place.column + place.width)
        labels[rows, columns] = np.frombuffer(raster, np.uint8).reshape(place.height, place.width)
