"""Access tokens of the Copernicus Data Space."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import requests

from landloom.archive.orders.provider import CredentialsError
from landloom.errors import TransientFaultError
from landloom.store.faults import http_fault
from landloom.store.http import new_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from landloom.store.patience import Patience

TOKENS: Final = "https://identity.dataspace.copernicus.eu/auth/realms/CDSE/protocol/openid-connect/token"
"""URL that issues tokens for a user's name and password."""


class PasswordToken:
    """Access tokens for a user's name and password, renewed before they expire."""

    _SPARE: Final = 60.0

    def __init__(
        self,
        username: str,
        password: str,
        url: str = TOKENS,
        *,
        client: str = "cdse-public",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        patience: Patience | None = None,
    ) -> None:
        """Store the credentials; nothing is requested yet."""
        self._form = {"grant_type": "password", "client_id": client, "username": username, "password": password}
        self._url, self._now = url, now
        self._session = new_session(patience)
        self._token, self._lapses = "", datetime.min.replace(tzinfo=UTC)

    def __call__(self) -> str:
        """A token that is valid for at least a minute.

        Raises:
            CredentialsError: the name or the password is wrong.
            TransientFaultError: the service does not respond.
        """
        if self._now() >= self._lapses:
            answer = self._ask()
            self._token = str(answer["access_token"])
            self._lapses = self._now() + timedelta(seconds=float(answer.get("expires_in", 600)) - self._SPARE)
        return self._token

    def _ask(self) -> Mapping[str, Any]:
        try:
            response = self._session.post(self._url, data=self._form)
            if response.status_code in (400, 401):
                raise CredentialsError(f"{self._url}: user name or password not accepted")
            if not response.ok:
                raise http_fault(response.status_code, self._url)
            answer = response.json()
        except (requests.RequestException, ValueError, RecursionError) as error:  # JSON too deep, or of huge numbers
            raise TransientFaultError(f"{self._url}: {error}") from error
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise TransientFaultError(f"{self._url}: an answer without a token")
        return answer
