"""Every error of the tree has a status, and an answer shows what it says within bounds."""

from __future__ import annotations

import inspect

import pytest

from landloom import errors
from landloom.server.errors import STATUSES, document, status_of

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.LandloomError) and kind.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_nearest_class_of_the_table_decides(kind: type[errors.LandloomError]) -> None:
    status = status_of(kind.__new__(kind))
    above = [STATUSES[one] for one in inspect.getmro(kind) if one in STATUSES]
    assert status == above[0]
    assert 400 <= status < 600


def test_what_a_client_did_wrong_is_its_fault_and_what_is_missing_is_missing() -> None:
    assert status_of(errors.InvalidInputError("x")) == 400
    assert status_of(errors.NotFoundError("x")) == 404
    assert status_of(errors.MissingKeyError("x")) == 404
    assert status_of(errors.TransientFaultError("x")) == 502


def test_answers_are_bounded() -> None:
    assert document(400, "a" * 10_000) == {"code": "Bad Request", "description": "a" * 2_000}
