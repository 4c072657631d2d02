"""Whole copies of remote files, for readers that need a file on this machine."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from landloom.errors import MissingKeyError, PermanentFaultError, StoreError, TransientFaultError
from landloom.store.hosts import check_host
from landloom.store.http import download, new_session
from landloom.store.objects import ObjectStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.store.patience import Patience


@contextmanager
def fetched(href: str, patience: Patience | None = None) -> Iterator[str]:
    """A whole copy of a remote file, at a path that is valid inside the context.

    Raises:
        TransientFaultError: it is temporarily unavailable, is incomplete, or access is denied.
        PermanentFaultError: it is gone, or its host may not be contacted.
    """
    check_host(href)
    with tempfile.TemporaryDirectory(prefix="landloom-") as folder:
        copy = Path(folder) / "copy"
        try:
            _copy(href, copy, patience)
        except MissingKeyError as error:
            raise PermanentFaultError(str(error)) from error
        except StoreError as error:
            raise TransientFaultError(str(error)) from error
        yield str(copy)


def _copy(href: str, copy: Path, patience: Patience | None) -> None:
    if href.startswith(("http://", "https://")):
        with new_session(patience) as session:
            download(session, href, copy, patience)
        return
    folder, name = href.rsplit("/", maxsplit=1)
    copy.write_bytes(ObjectStore(folder).get(name))
