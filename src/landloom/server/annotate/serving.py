"""`landloom annotate serve`: a campaign for the browsers of its annotators."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.server.annotate.origins import Site, is_loopback

if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp

    from landloom.annotate.ledger.database import Ledger
    from landloom.pipelines.annotation.folder import CampaignFolder

_CHIPS: Final = 2**30
"""Bytes of decoded chips in memory: those that thirty annotators are on, at 24 scenes of 10 bands and 256 pixels."""
_NEEDED: Final = ("starlette", "uvicorn", "sqlalchemy", "argon2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where the server listens, and how its connections are protected.

    Raises:
        InvalidInputError: passwords would travel in the clear, or half of a certificate is given.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    behind_proxy: bool = False
    """Whether a proxy in front ends TLS."""
    certificate: Path | None = None
    """PEM file."""
    key: Path | None = None
    """PEM file."""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise InvalidInputError("got one of --tls-cert and --tls-key, expected both")
        if not self.secure and not is_loopback(self.host):
            raise InvalidInputError(
                f"got --host {self.host}, which other machines can reach: passwords would travel in the clear; "
                "expected --tls-cert and --tls-key, or --behind-proxy if a proxy in front of it ends TLS"
            )

    @property
    def secure(self) -> bool:
        """Whether browsers reach it over TLS."""
        return self.certificate is not None or self.behind_proxy

    @property
    def site(self) -> Site:
        """How browsers reach it."""
        return Site(secure=self.secure, loopback=not self.secure, proxied=self.behind_proxy)

    def options(self) -> dict[str, Any]:
        """Options of uvicorn.

        Raises:
            InvalidInputError: the certificate cannot be used.
        """
        options: dict[str, Any] = {"proxy_headers": self.behind_proxy}
        if self.certificate is not None and self.key is not None:
            _check_certificate(self.certificate, self.key)
            options |= {"ssl_certfile": str(self.certificate), "ssl_keyfile": str(self.key)}
        return options


def _check_certificate(certificate: Path, key: Path) -> None:
    import ssl

    def no_password() -> str:  # else OpenSSL asks on the terminal
        raise InvalidInputError(f"{key}: got a key with a password, expected one without")

    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, no_password)
    except OSError as error:  # SSLError is one
        raise InvalidInputError(f"{certificate}, {key}: got no certificate with its key: {error}") from error


def check_extra() -> None:
    """Explain that the libraries of the annotation app are not installed.

    Raises:
        MissingExtraError: they are not.
    """
    for name in _NEEDED:
        if find_spec(name) is None:
            raise MissingExtraError.of("annotate", f"serving a campaign (no module {name})")


def create_app(folder: CampaignFolder, ledger: Ledger, site: Site, *, explorer: bool = False) -> ASGIApp:
    """The application of a campaign: the annotation app, and the explorer of its corpus if wanted.

    Args:
        folder: the campaign's.
        ledger: its ledger, open.
        site: how browsers reach the server.
        explorer: whether the corpus is published at `/`, to everybody, with its guess labels.

    Raises:
        NotFoundError: the ledger has no such campaign.
        MissingExtraError: the explorer's extra is not installed.
    """
    from landloom.annotate.ledger.campaigns import campaign
    from landloom.pipelines.annotation.windows import WindowReader
    from landloom.server.annotate.app import annotation_app, only_annotation
    from landloom.server.annotate.state import AppState
    from landloom.server.annotate.table import PREFIX
    from landloom.server.mounts import Mount, Mounts

    own = campaign(ledger, folder.name)
    windows = WindowReader(folder.corpus, context=own.settings.context, cache_bytes=_CHIPS)
    state = AppState(ledger=ledger, campaign=own, windows=windows, site=site)
    rest = only_annotation(site)
    if explorer:
        from landloom.server import app as corpus_app

        rest = corpus_app.create_app(windows.source.corpus)
    return Mounts([Mount(PREFIX, annotation_app(state)), Mount("", rest)])


def serve(
    campaign: str | os.PathLike[str],
    listening: Listening,
    *,
    database: str | None = None,
    explorer: bool = False,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve a campaign until interrupted.

    Args:
        campaign: its folder.
        listening: where, and how connections are protected.
        database: address of the ledger; by default that of the campaign.
        explorer: see `create_app`.
        announce: called with the address once the server listens.

    Raises:
        MissingExtraError: the extra `annotate` is not installed.
        InvalidInputError: the address cannot be listened on, or a certificate cannot be used.
        LedgerUnavailableError: the ledger cannot be opened.
    """
    check_extra()
    from landloom.annotate.ledger.database import open_ledger
    from landloom.pipelines.annotation.folder import open_folder
    from landloom.server.app import run

    options = listening.options()
    folder = open_folder(campaign)
    with open_ledger(database or folder.database) as ledger:
        app = create_app(folder, ledger, listening.site, explorer=explorer)
        run(app, host=listening.host, port=listening.port, announce=announce, **options)
