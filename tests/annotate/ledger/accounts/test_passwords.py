"""argon2, with the same work for names that do not exist."""

from __future__ import annotations

from argon2 import extract_parameters

from landloom.annotate.ledger.accounts import passwords


def test_a_hash_matches_its_password_alone() -> None:
    stored = passwords.hash_password("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert passwords.matches(stored, "correct horse battery")
    assert not passwords.matches(stored, "correct horse batterY")
    assert not passwords.matches("no hash", "correct horse battery")
    assert stored != passwords.hash_password("correct horse battery")


def test_unknown_names_cost_the_same_work() -> None:
    stored = passwords.hash_password("correct horse battery")
    assert extract_parameters(passwords._NOBODY) == extract_parameters(stored)
    assert not passwords.matches(None, "correct horse battery")


def test_any_text_can_be_a_password() -> None:
    for text in ("päßwörter für alle", "\0" * 10, "\ud800" * 10, "🔑" * 10):
        assert passwords.matches(passwords.hash_password(text), text)
