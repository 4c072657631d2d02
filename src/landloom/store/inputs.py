"""Whether files are still the versions that were read."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from landloom.errors import LandloomError, MissingKeyError
from landloom.model.address import is_remote, local_path
from landloom.store.credentials import requested
from landloom.store.faults import GONE
from landloom.store.hosts import check_host
from landloom.store.http import new_session
from landloom.store.objects import ObjectStore
from landloom.store.patience import Patience
from landloom.store.versions import PLAIN, Version

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import requests

_AT_ONCE: Final = 32
"""Requests at once."""


def changed(
    known: Mapping[str, Version], patience: Patience | None = None, asked: dict[str, Version | None] | None = None
) -> frozenset[str]:
    """Addresses that hold another version now.

    Args:
        known: address → version that was read.
        patience: retry policy.
        asked: address of a remote file → its present version, if it can be told; gets those that it lacks. Granules are
            shared by many tiles, whose files are compared one tile after the other.

    Returns:
        Those that answer with another version. A file whose server does not answer, or says too little to tell, counts
        as unchanged, and so does one that is not on this machine any more.

    Example:
        >>> import tempfile
        >>> file = tempfile.NamedTemporaryFile()
        >>> changed({file.name: Version(size=7), "/nowhere/B08.tif": Version(size=7)}) == {file.name}
        True
    """
    now = {href: _of_file(href) for href in known if not is_remote(href)}
    answers = {} if asked is None else asked
    remote = [href for href in known if href not in now]
    unasked = [href for href in remote if href not in answers]
    if unasked:
        session = new_session(patience or Patience(attempts=2, timeout=20), twice=True)
        with session, ThreadPoolExecutor(_AT_ONCE) as pool:
            folders = list(_folders(unasked).items())
            found = pool.map(lambda one: _listed(*one), folders)
            listed = {href: version for versions in found for href, version in versions.items()}
            same = {href: one for href, one in listed.items() if not known[href].differs(one)}
            rest = [href for href in unasked if href not in same]
            answers |= same | dict(zip(rest, pool.map(lambda href: _version_now(href, session), rest), strict=True))
    now |= {href: answers[href] for href in remote}
    return frozenset(href for href, after in now.items() if after is not None and known[href].differs(after))


def _folders(hrefs: Iterable[str]) -> dict[str, list[str]]:
    """Folder of an object store → its files among some, if they are several."""
    found: dict[str, list[str]] = defaultdict(list)
    for href in hrefs:
        if not href.startswith(("http://", "https://")):
            found[href.rpartition("/")[0]].append(href)
    return {folder: files for folder, files in found.items() if len(files) > 1}


def _listed(folder: str, hrefs: Sequence[str]) -> dict[str, Version]:
    """Versions as a listing has them, in no more requests than files; what it lacks is asked for by itself."""
    try:
        check_host(folder)
        found = ObjectStore(folder).versions(len(hrefs))
    except (LandloomError, OSError, ValueError):
        return {}
    keys = {href: href.rpartition("/")[2] for href in hrefs}
    return {href: Version(size=found[key][0], etag=found[key][1]) for href, key in keys.items() if key in found}


def _of_file(href: str) -> Version | None:
    found = Version.of_file(local_path(href))
    return None if found.absent else found  # the project may have moved


def _version_now(href: str, session: requests.Session) -> Version | None:
    """The present version of a remote file; None if it cannot be told."""
    try:
        check_host(href)
        return _web(href, session) if href.startswith(("http://", "https://")) else _stored(href)
    except (LandloomError, OSError, ValueError):  # requests' errors are OSErrors
        return None


def _web(href: str, session: requests.Session) -> Version | None:
    response = session.head(requested(href), allow_redirects=True, headers=PLAIN)
    if response.status_code in GONE:
        return Version(absent=True)
    if not response.ok:
        return None
    length = response.headers.get("Content-Length", "")
    return Version.of_headers(response.headers, int(length) if length.isdigit() else None)


def _stored(href: str) -> Version:
    folder, _, key = href.rpartition("/")
    try:
        size, etag = ObjectStore(folder).version(key)
    except MissingKeyError:
        return Version(absent=True)
    return Version(size=size, etag=etag)
