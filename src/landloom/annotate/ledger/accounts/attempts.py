"""Failed logins, counted in the ledger so that a restart forgets none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, select, text

from landloom.annotate.ledger.accounts.tokens import digest_of
from landloom.annotate.ledger.database import now
from landloom.annotate.ledger.errors import TooManyAttemptsError
from landloom.annotate.ledger.schema.models import LoginFailure

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from landloom.annotate.ledger.database import Ledger

WINDOW: Final = 900
"""Seconds that an attempt counts."""
PER_PAIR: Final = 10
"""Failures of one name from one address."""
PER_NAME: Final = 100
"""Failures of one name from all addresses together: one attacker does not lock somebody out at once."""
PER_ADDRESS: Final = 60
"""Failures from one address."""


def begin(ledger: Ledger, name: str, address: str) -> None:
    """Count an attempt before the password is compared, so that many at once are not more than allowed.

    Raises:
        TooManyAttemptsError: the limit was reached.
    """
    limits = _limits(name, address)

    def work(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":  # one attempt of a name is counted after the other
            number = int(_keys(name, address)[1][:15], 16)
            connection.execute(text("select pg_advisory_xact_lock(:number)"), {"number": number})
        at = now(connection)
        connection.execute(delete(LoginFailure).where(LoginFailure.at < at - WINDOW))
        for key, most in limits.items():
            count, first = connection.execute(
                select(func.count(), func.min(LoginFailure.at)).where(LoginFailure.key == key)
            ).one()
            if count >= most:
                raise TooManyAttemptsError(max(1, math.ceil(first + WINDOW - at)))
        connection.execute(insert(LoginFailure), [{"key": key, "at": at} for key in limits])

    ledger.transact(work)


def succeed(connection: Connection, name: str, address: str) -> None:
    """Forget the failures of a name from an address after a login; of the name, and of the address, this attempt."""
    pair, *shared = _keys(name, address)
    connection.execute(delete(LoginFailure).where(LoginFailure.key == pair))
    for key in shared:
        latest = select(func.max(LoginFailure.id)).where(LoginFailure.key == key).scalar_subquery()
        connection.execute(delete(LoginFailure).where(LoginFailure.id == latest))


def _keys(name: str, address: str) -> tuple[str, str, str]:
    """Keys of name and address, of the name, of the address; digests, since people type passwords as names."""
    return digest_of(f"pair\0{name}\0{address}"), digest_of(f"name\0{name}"), digest_of(f"address\0{address}")


def _limits(name: str, address: str) -> dict[str, int]:
    pair, own, place = _keys(name, address)
    return {pair: PER_PAIR, own: PER_NAME, place: PER_ADDRESS}
