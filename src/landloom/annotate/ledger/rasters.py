"""Label rasters of users: checked before anything else looks at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from landloom.annotate.ledger.errors import InvalidSubmissionError

if TYPE_CHECKING:
    from collections.abc import Collection

    from landloom.annotate.tasks.values import TaskWindow


def check_labels(labels: bytes, window: TaskWindow, codes: Collection[int], *, unlabelled: bool) -> None:
    """Check length and codes.

    Args:
        labels: uint8, row-major.
        window: of the task.
        codes: of the classes.
        unlabelled: whether 0 is allowed.

    Raises:
        InvalidSubmissionError: anything else.

    Example:
        >>> from landloom.annotate.tasks.values import TaskWindow
        >>> window = TaskWindow(chip="a", row=0, column=0, height=1, width=3)
        >>> check_labels(bytes([1, 1, 0]), window, (1, 2), unlabelled=False)
        Traceback (most recent call last):
        ...
        landloom.annotate.ledger.errors.InvalidSubmissionError: got 1 pixel without a label, expected none
    """
    if len(labels) != window.pixels:
        raise InvalidSubmissionError(f"got {len(labels):,} bytes of labels, expected {window.pixels:,}")
    counts = np.bincount(np.frombuffer(labels, np.uint8), minlength=256)
    foreign = sorted(set(np.flatnonzero(counts).tolist()) - {0} - set(codes))
    if foreign:
        raise InvalidSubmissionError(f"got class codes {foreign[:10]}, expected some of {sorted(codes)}")
    if counts[0] and not unlabelled:
        raise InvalidSubmissionError(
            f"got {counts[0]:,} pixel{'' if counts[0] == 1 else 's'} without a label, expected none"
        )


def changed_pixels(labels: bytes, guess: bytes | None) -> int:
    """Pixels that differ from the guess; all of them without a guess.

    Example:
        >>> changed_pixels(bytes([1, 2, 2]), bytes([1, 1, 2])), changed_pixels(bytes([1, 2, 2]), None)
        (1, 3)
    """
    if guess is None:
        return len(labels)
    return int(np.count_nonzero(np.frombuffer(labels, np.uint8) != np.frombuffer(guess, np.uint8)))


def class_counts(labels: bytes, guess: bytes | None) -> dict[str, list[int]]:
    """Class code → pixels labelled as it, and how many of them differ from the guess.

    Example:
        >>> class_counts(bytes([1, 2, 2]), bytes([1, 1, 2]))
        {'1': [1, 0], '2': [2, 1]}
    """
    values = np.frombuffer(labels, np.uint8)
    total = np.bincount(values, minlength=256)
    changed = values if guess is None else values[values != np.frombuffer(guess, np.uint8)]
    differing = np.bincount(changed, minlength=256)
    return {str(code): [int(total[code]), int(differing[code])] for code in np.flatnonzero(total).tolist() if code}


def copied_pixels(labels: bytes, guess: bytes, original: bytes) -> tuple[int, int]:
    """Altered pixels of a planted guess, and how many of them were left as they were.

    Example:
        >>> copied_pixels(bytes([3, 1, 2]), bytes([3, 3, 2]), bytes([1, 1, 2]))
        (2, 1)
    """
    shown, before, values = (np.frombuffer(one, np.uint8) for one in (guess, original, labels))
    altered = shown != before
    return int(altered.sum()), int((altered & (values == shown)).sum())
