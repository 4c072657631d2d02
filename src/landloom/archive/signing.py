"""Signed addresses: providers whose files are read with a short-lived token in the query string.

Planetary Computer issues such tokens (shared access signatures of Azure) for a storage container, or for a collection
of its own. A scene keeps plain addresses, so that no token reaches lineage, journal, unit keys or messages; files are
signed when they are opened. Tokens live in the memory of the process alone and are renewed before they expire.
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

import orjson

from landloom.errors import FaultError, InvalidValueError, MissingKeyError, TransientFaultError
from landloom.model.time import parse_instant
from landloom.store.http import get, new_session

if TYPE_CHECKING:
    from landloom.model.scene import Scene, SceneFile
    from landloom.store.patience import Patience

TOKENS: Final = "/api/sas/v1/token"
"""Path of the token service on Planetary Computer's host."""
MARGIN: Final = timedelta(minutes=10)
"""A token is renewed when it lives no longer than this, or than half its life where that is shorter."""
_BLOBS: Final = ".blob.core.windows.net"
_lock = threading.Lock()
_tokens: dict[str, Token] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token with the time from which it is renewed."""

    query: str
    renew: datetime

    def __repr__(self) -> str:
        return f"Token(renew={self.renew!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How the addresses of an archive's files are signed; a plain value that travels to workers.

    Example:
        >>> signing = Signing(tokens="https://example.org/api/sas/v1/token", collection="c", host="example.org")
        >>> signing.token_address("https://sentinel2l2a01.blob.core.windows.net/sentinel2-l2/33/B04.tif")
        'https://example.org/api/sas/v1/token/sentinel2l2a01/sentinel2-l2'
        >>> signing.signed("https://elsewhere.org/B04.tif")
        'https://elsewhere.org/B04.tif'
    """

    tokens: str
    """Address of the token service."""
    collection: str
    """Whose token is used for files that lie on the archive's own host."""
    host: str
    """Host of the archive."""
    patience: Patience | None = None
    """Retries."""

    def of_scene(self, scene: Scene) -> Scene:
        """The scene with files that are signed when they are opened; signatures in its addresses are taken off."""
        return replace(
            scene,
            bands={name: self._file(file) for name, file in scene.bands.items()},
            layers={role: self._file(file) for role, file in scene.layers.items()},
            angles_at=None if scene.angles_at is None else self._file(scene.angles_at),
        )

    def _file(self, file: SceneFile) -> SceneFile:
        return replace(file, href=_plain(file.href), signing=self)

    def token_address(self, href: str) -> str | None:
        """Where the token for a file comes from; None for files that are read without one."""
        parts = urlsplit(href)
        if parts.scheme not in {"http", "https"}:
            return None
        account, container = (parts.hostname or "").partition(".")[0], parts.path.split("/")[1:2]
        if (parts.hostname or "").endswith(_BLOBS) and container:
            return f"{self.tokens}/{quote(account)}/{quote(container[0])}"
        return f"{self.tokens}/{quote(self.collection)}" if parts.netloc == self.host else None

    def signed(self, href: str) -> str:
        """The address under which a file is opened just now.

        Raises:
            TransientFaultError: no token can be had.
        """
        address = self.token_address(href)
        if address is None:
            return href
        parts = urlsplit(href)
        query = "&".join(part for part in (parts.query, self._token(address)) if part)
        return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

    def _token(self, address: str) -> str:
        with _lock:
            token = _tokens.get(address)
            if token is None or datetime.now(UTC) >= token.renew:
                token = _tokens[address] = _asked(address, self.patience)
            return token.query


def signing_of(href: str, collection: str, patience: Patience | None = None) -> Signing:
    """The signing of Planetary Computer, or of a service of its kind.

    The variables of its own client count: `PC_SDK_SAS_URL` and `PC_SDK_SUBSCRIPTION_KEY`.

    Args:
        href: landing page of the STAC API.
        collection: that is searched.
        patience: retries.

    Example:
        >>> signing_of("https://planetarycomputer.microsoft.com/api/stac/v1", "sentinel-2-l2a").host
        'planetarycomputer.microsoft.com'
    """
    parts = urlsplit(href)
    own = urlunsplit((parts.scheme, parts.netloc, TOKENS, "", ""))
    tokens = os.environ.get("PC_SDK_SAS_URL", own).rstrip("/")
    return Signing(tokens=tokens, collection=collection, host=parts.netloc, patience=patience)


def _plain(href: str) -> str:
    """An address without a signature that it came with."""
    parts = urlsplit(href)
    return urlunsplit((*parts[:3], "", "")) if "sig" in parse_qs(parts.query) else href


def _asked(address: str, patience: Patience | None) -> Token:
    """A new token.

    Raises:
        TransientFaultError: the service does not give one; what it answers may change.
    """
    key, now = os.environ.get("PC_SDK_SUBSCRIPTION_KEY"), datetime.now(UTC)
    try:
        with new_session(patience) as session:
            session.headers.update({} if key is None else {"Ocp-Apim-Subscription-Key": key})
            answer = orjson.loads(get(session, address))
        query, expiry = str(answer["token"]).lstrip("?"), parse_instant(answer["msft:expiry"])
    except (FaultError, MissingKeyError) as error:
        raise TransientFaultError(f"no signature for files of the archive: {error}") from error
    except (orjson.JSONDecodeError, KeyError, TypeError, InvalidValueError) as error:
        raise TransientFaultError(f"{address}: got no token with msft:expiry, expected one") from error
    return Token(query=query, renew=max(expiry - MARGIN, now + (expiry - now) / 2))
