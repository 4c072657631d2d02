"""Tokens for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from landloom.annotate.ledger.accounts.tokens import create_token, revoke_tokens, token_user
from landloom.annotate.ledger.accounts.users import create_user, disable
from landloom.annotate.ledger.schema.models import ApiToken

if TYPE_CHECKING:
    from landloom.annotate.ledger.database import Ledger


def test_a_token_acts_as_its_user_until_it_ends(ledger: Ledger) -> None:
    ada, ben = create_user(ledger, "ada", None), create_user(ledger, "ben", None)
    one, two, three = (create_token(ledger, user, label) for user, label in ((ada, "a"), (ada, "b"), (ben, "c")))
    assert [token_user(ledger, token) for token in (one, two, three, "unknown", "")] == [ada, ada, ben, None, None]
    with ledger.read() as connection:
        assert not set(connection.execute(select(ApiToken.token_digest)).scalars()) & {one, two, three}
    assert revoke_tokens(ledger, ada, "a") == 1
    assert [token_user(ledger, token) for token in (one, two)] == [None, ada]
    assert revoke_tokens(ledger, ada) == 1
    ended = update(ApiToken).values(expires=ApiToken.created)
    ledger.transact(lambda connection: connection.execute(ended))
    assert token_user(ledger, three) is None
    again = create_token(ledger, ben, "again")
    disable(ledger, ben, by=None)
    assert token_user(ledger, again) is None
