"""Reading small whole documents by address, local or remote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from landloom.errors import InvalidInputError, MissingKeyError, PermanentFaultError
from landloom.model.address import is_remote, local_path, shown
from landloom.store.credentials import requested
from landloom.store.faults import os_fault
from landloom.store.hosts import check_host
from landloom.store.http import get, new_session
from landloom.store.open import open_store

if TYPE_CHECKING:
    import requests

    from landloom.store.patience import Patience
    from landloom.store.protocol import Readable


class HrefDocuments:
    """Reads documents by local path, http(s) URL or any other address that `open_store` accepts; thread-safe.

    Args:
        patience: retry policy.

    Example:
        >>> HrefDocuments().read("/no/such/catalog.json")
        Traceback (most recent call last):
        landloom.errors.MissingKeyError: /no/such/catalog.json: no such file
    """

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience
        self._session: requests.Session | None = None
        self._stores: dict[str, Readable] = {}

    def read(self, href: str, document: str | None = None) -> bytes:
        """The bytes of a document.

        Args:
            href: its path or address.
            document: address of the document that names it; None or empty if the user does.

        Raises:
            MissingKeyError: there is no such document.
            TransientFaultError: it is temporarily unreadable.
            PermanentFaultError: it is permanently unreadable.
        """
        if href.startswith(("http://", "https://")):
            return self._get(requested(href), document)
        if is_remote(href):
            return self._stored(href)
        path = local_path(href)
        if "%" in path and not Path(path).exists():  # links may be percent-encoded, file names rarely are
            path = unquote(path)
        try:
            return Path(path).read_bytes()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MissingKeyError(f"{href}: no such file") from error
        except IsADirectoryError as error:
            raise PermanentFaultError(f"{href}: a folder, expected a file") from error
        except OSError as error:
            raise os_fault(error, href) from error
        except ValueError as error:
            raise PermanentFaultError(f"{href!r}: not a valid path") from error

    def _stored(self, href: str) -> bytes:
        check_host(href)
        folder, _, name = href.rpartition("/")
        store = self._stores.get(folder)
        if store is None:
            try:
                store = self._stores.setdefault(folder, open_store(folder))
            except InvalidInputError as error:
                raise PermanentFaultError(f"{shown(href)}: {error}") from error
        return store.get(name)

    def _get(self, href: str, document: str | None) -> bytes:
        if self._session is None:
            self._session = new_session(self._patience)
        return get(self._session, href, document)
