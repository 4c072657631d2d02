"""Drafts are versioned, so that no tab overwrites another's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tests.annotate.ledger.made import GUESS, NAME, PIXELS, fill, person

from landloom.annotate.ledger.drafts import save_draft
from landloom.annotate.ledger.errors import InvalidSubmissionError, StaleDraftError
from landloom.annotate.ledger.queue import assignment, take

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger


def test_versions_count_up_and_come_back(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    assert loan.draft is None
    assert save_draft(ledger, NAME, ada, loan.id, bytes(PIXELS), 0) == 1
    assert save_draft(ledger, NAME, ada, loan.id, GUESS, 1) == 2
    draft = assignment(ledger, NAME, ada, loan.id).draft
    assert draft is not None
    assert (draft.labels, draft.version) == (GUESS, 2)
    for version in (0, 1, 3, -1):
        with pytest.raises(StaleDraftError) as stale:
            save_draft(ledger, NAME, ada, loan.id, bytes(PIXELS), version)
        assert stale.value.version == 2


@pytest.mark.parametrize("labels", [b"", GUESS[1:], GUESS + b"\1", bytes([9] * PIXELS)])
def test_a_draft_fits_its_task(ledger: Ledger, labels: bytes) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]
    with pytest.raises(InvalidSubmissionError):
        save_draft(ledger, NAME, ada, loan.id, labels, 0)


def test_of_many_tabs_one_wins_each_version(ledger: Ledger) -> None:
    fill(ledger)
    ada = person(ledger, "ada")
    loan = take(ledger, NAME, ada, 1)[0]

    def save(code: int) -> bytes | None:
        labels = bytes([code] * PIXELS)
        try:
            save_draft(ledger, NAME, ada, loan.id, labels, 0)
        except StaleDraftError:
            return None
        return labels

    with ThreadPoolExecutor(8) as pool:
        won = [one for one in pool.map(save, [1, 2, 3] * 4) if one is not None]
    assert len(won) == 1
    draft = assignment(ledger, NAME, ada, loan.id).draft
    assert draft is not None
    assert (draft.labels, draft.version) == (won[0], 1)
