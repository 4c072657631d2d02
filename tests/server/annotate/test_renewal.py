"""The order of the tasks is renewed beside the work of people, and only when that is due."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update
from tests.annotate.ledger.made import GUESS, NAME, fill, hand_in, person

from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.ledger.queue import take
from landloom.annotate.ledger.schema.models import Campaign
from landloom.server.annotate.renewal import Renewal

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.annotate.ledger.database import Ledger


def ordered(ledger: Ledger) -> int:
    with ledger.read() as connection:
        return connection.execute(select(Campaign.ordered)).scalar_one()


def test_the_order_is_renewed_when_that_is_due(tmp_path: Path) -> None:
    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        renewal = Renewal(ledger, fill(ledger))
        ada = person(ledger, "ada")
        for loan in take(ledger, NAME, ada, 3):
            hand_in(ledger, ada, loan, GUESS)
        first = renewal.submitted()
        assert first is not None
        first.join()
        assert ordered(ledger) == 0
        assert renewal.submitted() is None  # it has just looked
        with ledger.write() as connection:
            connection.execute(update(Campaign).values(ordered=-60))
        later = Renewal(ledger, renewal.campaign).submitted()
        assert later is not None
        later.join()
        assert ordered(ledger) == 3


def test_a_random_order_is_never_looked_at(tmp_path: Path) -> None:
    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as ledger:
        assert Renewal(ledger, fill(ledger, order="random")).submitted() is None
