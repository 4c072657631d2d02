"""The list of samples to look at: what annotators see first."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from landloom.errors import InvalidInputError
from landloom.training.noise.confident import LabelNoise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.training.evaluation.predictions import Predictions


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A sample whose label, or part of whose labels, is probably wrong."""

    chip: str
    """Id of the sample."""
    row: str = ""
    """Empty: the whole sample is meant."""
    column: str = ""
    """Empty: the whole sample is meant."""
    probability: float
    """Mean probability that a label of the sample is wrong, over its suspected pixels; 0 for the others."""
    label: str
    """Class given, of most of the suspected pixels."""
    suggested: str
    """Class that the model sees there."""
    quality: float
    """Mean probability of the labels given, over all its pixels."""
    pixels: float
    """Suspected pixels or rows."""
    share: float
    """Share of its pixels or rows that is suspected."""


def out_of_fold_noise(predictions: Predictions) -> LabelNoise:
    """The noise of the labels that predictions have as their truth.

    Raises:
        InvalidInputError: fewer than two classes have labels.
    """
    if len(np.unique(predictions.truth)) < 2:
        raise InvalidInputError("got labels of fewer than two classes, expected two or more: nothing can be confused")
    return LabelNoise.of(predictions.truth, predictions.probabilities, predictions.weight)


def suspects_of(predictions: Predictions, noise: LabelNoise) -> tuple[Suspect, ...]:
    """Samples with suspected labels, the most probable errors first.

    Args:
        predictions: of folds that the model had not seen; rows of one id are one sample.
        noise: of the same rows.
    """
    ids, sample = np.unique(np.array(predictions.id, object), return_inverse=True)
    weight, count = predictions.weight, len(ids)
    whole = np.bincount(sample, weight, count)
    hit = weight * noise.suspected
    held = np.bincount(sample, hit, count)
    wrong = np.bincount(sample, hit * (1 - noise.quality), count) / whole
    quality = np.bincount(sample, weight * noise.quality, count) / whole
    main: dict[int, int] = {}
    for row in np.flatnonzero(noise.suspected).tolist():
        place = int(sample[row])
        if place not in main or hit[row] > hit[main[place]]:
            main[place] = row
    found = [
        Suspect(
            chip=str(ids[place]),
            probability=round(float(wrong[place]), 6),
            label=predictions.classes[predictions.truth[row]],
            suggested=predictions.classes[noise.suggested[row]],
            quality=round(float(quality[place]), 6),
            pixels=float(held[place]),
            share=round(float(held[place] / whole[place]), 6),
        )
        for place, row in main.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.probability, one.chip)))


def suspects_csv(suspects: Sequence[Suspect]) -> str:
    """The list as CSV, as `landloom annotate init --suspects` takes it.

    Example:
        >>> one = Suspect(chip="a", probability=0.9, label="x", suggested="y", quality=0.1, pixels=1.0, share=1.0)
        >>> print(suspects_csv([one]).splitlines()[1])
        a,,,0.9,x,y,0.1,1.0,1.0
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, [one.name for one in fields(Suspect)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(one) for one in suspects)
    return text.getvalue()
