"""Label rasters: what is counted adds up, whatever the labels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.annotate.ledger.errors import InvalidSubmissionError
from landloom.annotate.ledger.rasters import changed_pixels, check_labels, class_counts, copied_pixels
from landloom.annotate.tasks.values import TaskWindow

WINDOW = TaskWindow(chip="a", row=0, column=0, height=3, width=4)
RASTERS = st.binary(min_size=12, max_size=12)


@given(labels=RASTERS, guess=st.one_of(st.none(), RASTERS))
def test_counts_add_up(labels: bytes, guess: bytes | None) -> None:
    counts = class_counts(labels, guess)
    labelled = sum(code > 0 for code in labels)
    assert sum(total for total, _ in counts.values()) == labelled
    differing = sum(
        code > 0 and (guess is None or code != shown) for code, shown in zip(labels, guess or labels, strict=True)
    )
    assert sum(changed for _, changed in counts.values()) == differing
    assert changed_pixels(labels, guess) == (
        12 if guess is None else sum(a != b for a, b in zip(labels, guess, strict=True))
    )


@given(labels=RASTERS, guess=RASTERS, original=RASTERS)
def test_copied_pixels_are_altered_ones(labels: bytes, guess: bytes, original: bytes) -> None:
    altered, copied = copied_pixels(labels, guess, original)
    assert 0 <= copied <= altered == int((np.frombuffer(guess, np.uint8) != np.frombuffer(original, np.uint8)).sum())
    assert copied_pixels(guess, guess, original) == (altered, altered)
    assert copied_pixels(original, guess, original)[1] == 0


@given(labels=st.binary(max_size=24), unlabelled=st.booleans())
def test_only_whole_rasters_of_known_codes_pass(labels: bytes, *, unlabelled: bool) -> None:
    allowed = {1, 2, 200} | ({0} if unlabelled else set())
    if len(labels) == 12 and set(labels) <= allowed:
        check_labels(labels, WINDOW, (1, 2, 200), unlabelled=unlabelled)
        return
    with pytest.raises(InvalidSubmissionError):
        check_labels(labels, WINDOW, (1, 2, 200), unlabelled=unlabelled)
