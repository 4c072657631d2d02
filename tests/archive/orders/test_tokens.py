"""Tokens are asked for once and renewed before they lapse."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from landloom.archive.orders.provider import CredentialsError
from landloom.archive.orders.tokens import PasswordToken

if TYPE_CHECKING:
    from tests.archive.orders.service import Archive


def test_tokens_are_renewed_before_they_lapse(archive: Archive) -> None:
    clock, asked = archive.clock, PasswordToken("me", "right", f"{archive.url}/token", now=archive.clock.now)
    assert asked() == "secret"
    url, asked._url = asked._url, f"{archive.url}/nowhere"
    clock.time += timedelta(seconds=500)
    assert asked() == "secret"
    clock.time += timedelta(seconds=60)
    with pytest.raises(CredentialsError):
        asked()
    asked._url = url
    assert asked() == "secret"
