"""Trust in annotators, from their answers to reference tasks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Self

import numpy as np

from landloom.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.annotate.tasks.values import CampaignSettings

FEWEST_PIXELS: Final = 50
"""Reference pixels of a class below which its acceptance rule is not applied yet."""


class Trust(StrEnum):
    """Whether the work of an annotator counts."""

    PENDING = "pending"
    """Too few reference tasks so far; the work counts for now."""
    TRUSTED = "trusted"
    """The work counts."""
    UNTRUSTED = "untrusted"
    """The work does not count and is issued to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceResult:
    """One reference task of one annotator, compared with the expert's answer.

    Example:
        >>> ReferenceResult.of(bytes([1, 1, 2]), bytes([1, 2, 2])).accuracy
        0.6666666666666666
    """

    pixels: Mapping[int, int]
    """Class of the expert → number of its pixels."""
    right: Mapping[int, int]
    """Class of the expert → how many of them the annotator labelled the same."""

    @classmethod
    def of(cls, answer: bytes, reference: bytes) -> Self:
        """Compare two label rasters; pixels that the expert left unlabelled (0) do not count.

        Raises:
            InvalidValueError: different sizes.
        """
        if len(answer) != len(reference):
            raise InvalidValueError(f"got an answer of {len(answer)} pixels, expected {len(reference)}")
        labels, truth = np.frombuffer(answer, np.uint8), np.frombuffer(reference, np.uint8)
        total = np.bincount(truth, minlength=256)
        same = np.bincount(truth[labels == truth], minlength=256)
        codes = [code for code in np.flatnonzero(total).tolist() if code]
        return cls(pixels={code: int(total[code]) for code in codes}, right={code: int(same[code]) for code in codes})

    @property
    def accuracy(self) -> float:
        """Share of the pixels that are right; 1 if the expert labelled none."""
        total = sum(self.pixels.values())
        return sum(self.right.values()) / total if total else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustState:
    """Trust in one annotator, with its reasons."""

    trust: Trust
    tasks: int
    """Reference tasks that decided."""
    accuracy: float | None
    """Over their pixels; None without any."""
    reasons: tuple[str, ...]
    """Rules that are not met; empty if all are."""


def trust_state(results: Sequence[ReferenceResult], settings: CampaignSettings) -> TrustState:
    """Decide about an annotator.

    Args:
        results: reference tasks in the order in which they were submitted; the latest `trust_window` of them decide.
        settings: `trust_after`, `trust_mark`, `trust_window` and the acceptance rules of the campaign. A rule of a
            class applies once the expert labelled `FEWEST_PIXELS` pixels of it in these tasks.

    Returns:
        Pending with fewer than `trust_after` tasks, else trusted if every rule is met.

    Example:
        >>> from landloom.annotate.tasks.values import CampaignSettings
        >>> good = ReferenceResult.of(bytes([1] * 60), bytes([1] * 60))
        >>> trust_state([good] * 4, CampaignSettings()).trust.value
        'pending'
        >>> trust_state([good] * 5, CampaignSettings(acceptance={1: 0.95})).trust.value
        'trusted'
        >>> poor = ReferenceResult.of(bytes([1] * 54 + [2] * 6), bytes([1] * 60))
        >>> trust_state([poor] * 5, CampaignSettings(acceptance={1: 0.95})).reasons
        ('class 1: 90.0 % of 300 pixels, expected at least 95.0 %',)
    """
    latest = results[-settings.trust_window :]
    pixels, right = _sums(latest)
    total = sum(pixels.values())
    accuracy = sum(right.values()) / total if total else None
    reasons = []
    if accuracy is not None and accuracy < settings.trust_mark:
        reasons.append(f"accuracy: {accuracy:.1%} of {total:,} pixels, expected at least {settings.trust_mark:.1%}")
    for code, least in sorted(settings.acceptance.items()):
        seen = pixels.get(code, 0)
        if seen >= FEWEST_PIXELS and right[code] / seen < least:
            reasons.append(f"class {code}: {right[code] / seen:.1%} of {seen:,} pixels, expected at least {least:.1%}")
    told = tuple(reason.replace("%", " %") for reason in reasons)
    if len(latest) < settings.trust_after:
        return TrustState(trust=Trust.PENDING, tasks=len(latest), accuracy=accuracy, reasons=told)
    trust = Trust.UNTRUSTED if told else Trust.TRUSTED
    return TrustState(trust=trust, tasks=len(latest), accuracy=accuracy, reasons=told)


def qualified(results: Sequence[ReferenceResult], settings: CampaignSettings) -> bool | None:
    """Whether an annotator passed the qualification round; None while tasks are left.

    Args:
        results: qualification tasks so far.
        settings: `qualification` and `pass_mark`.
    """
    if len(results) < settings.qualification:
        return None
    pixels, right = _sums(results)
    total = sum(pixels.values())
    return not total or sum(right.values()) / total >= settings.pass_mark


def _sums(results: Sequence[ReferenceResult]) -> tuple[dict[int, int], dict[int, int]]:
    pixels: dict[int, int] = {}
    right: dict[int, int] = {}
    for one in results:
        for code, count in one.pixels.items():
            pixels[code] = pixels.get(code, 0) + count
            right[code] = right.get(code, 0) + one.right[code]
    return pixels, right
