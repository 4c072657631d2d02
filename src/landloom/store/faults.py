"""Classification of failures: HTTP statuses and errors of the operating system as faults (DESIGN section 3).

A fault is permanent only if that is proven: the file does not exist, or it is complete and cannot be decoded. All
others are transient: the unit fails, its message says what would help, and the next build tries again.
"""

from __future__ import annotations

import errno
import re
from typing import Final

from landloom.errors import PermanentFaultError, TransientFaultError

GONE: Final = frozenset({404, 410, 451})
"""Status codes that prove that there is nothing at an address (any more)."""
_HELP: Final = {
    401: "credentials are missing or have expired",
    403: "access is denied: sign the address, renew its signature or give credentials; or the rate limit is exceeded",
    407: "the proxy needs credentials",
    409: "access without a signature is not permitted: the address must be signed",
    429: "the rate limit is exceeded",
}
_STATUS: Final = re.compile(r"\b([45]\d\d) [A-Z][a-z]|status code: (\d{3})|status: ([45]\d\d)")
_ABSENT: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP})
"""Errors that prove that a path does not lead to a file."""
_LIMITS: Final = {
    errno.EMFILE: "raise the limit of open files (ulimit -n) or use fewer workers",
    errno.ENFILE: "the whole system has too many open files",
    errno.ENOMEM: "use fewer workers, or give the process more memory",
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "the disk quota is used up",
    errno.EIO: "the disk or network file system fails",
    errno.EACCES: "the file's permissions do not allow it",
    errno.EPERM: "the file's permissions do not allow it",
    errno.ESTALE: "the network file system has to be mounted again",
    errno.ETIMEDOUT: "the network file system does not answer",
}


def stated_status(error: BaseException) -> int | None:
    """The HTTP status that an error of obstore tells in its text, if any.

    Example:
        >>> stated_status(OSError("Error after 0 retries: Server returned error response: 503 Service Unavailable"))
        503
    """
    found = _STATUS.search(str(error))
    return int(next(group for group in found.groups() if group)) if found else None


def http_fault(status: int, what: str, tried: str = "") -> PermanentFaultError | TransientFaultError:
    """The fault for an HTTP status that is not a success.

    Args:
        status: of the response.
        what: the address, in printable form.
        tried: how often it was tried, as words.

    Example:
        >>> type(http_fault(404, "a.json")).__name__, type(http_fault(418, "a.json")).__name__
        ('PermanentFaultError', 'TransientFaultError')
        >>> str(http_fault(409, "B04.tif"))
        'B04.tif: HTTP 409: access without a signature is not permitted: the address must be signed'
    """
    help_text = f": {_HELP[status]}" if status in _HELP else ""
    message = f"{what}: HTTP {status}{tried}{help_text}"
    return PermanentFaultError(message) if status in GONE else TransientFaultError(message)


def os_fault(error: OSError, what: str) -> PermanentFaultError | TransientFaultError:
    """The fault for an error of the operating system during reading of a local file.

    Args:
        error: as raised.
        what: the path.

    Example:
        >>> str(os_fault(FileNotFoundError(errno.ENOENT, "No such file or directory"), "B04.tif"))
        'B04.tif: No such file or directory'
        >>> str(os_fault(OSError(errno.EMFILE, "Too many open files"), "B04.tif"))
        'B04.tif: Too many open files: raise the limit of open files (ulimit -n) or use fewer workers'
    """
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in _ABSENT:
        return PermanentFaultError(f"{what}: {reason}")
    help_text = f": {_LIMITS[error.errno]}" if error.errno in _LIMITS else ""
    return TransientFaultError(f"{what}: {reason}{help_text}")
