r"""Names of files within a store: the one rule of what a key may be, whoever wrote it.

A key names one file, on every system that a corpus may be downloaded to. So what is refused is more than what one disk
would refuse:

- nothing, an absolute path, a drive letter, a backslash, an empty component, `.` and `..`;
- control characters (line breaks among them), characters that turn the direction of text, halves of surrogate pairs;
- more than 1,024 characters, or a component of more than 255 bytes;
- names that Windows keeps for devices (`CON`, `aux.tif`, …), and components that end with a dot or a space;
- names of files that are being written (`.….landloom-tmp`).

Of several keys, also those that differ from another one only by case or by their Unicode form, that are a folder of
another one, or that are a download's own (`LICENSES.md`, `.landloom/`).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_KEY: Final = 1_024
"""Characters of a key: what S3 takes, in bytes, of plain ones."""
MAX_PART: Final = 255
"""Bytes of a component: what file systems take."""
UNFINISHED: Final = ".landloom-tmp"
"""How the name of a file ends while it is being written."""
OWN_FOLDER: Final = ".landloom"
"""Folder of local state, in a corpus and in a download."""
OWN_FILES: Final = ("LICENSES.md",)
"""Files that a download writes itself."""
_USUAL: Final = re.compile(r"[A-Za-z0-9_](?:[\w=+@,~ .-]*[\w=+@,~-])?", re.ASCII)
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[ .].*)?", re.IGNORECASE
)
_TURNING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_RELATIVE: Final = "a relative path within the store"


def key_fault(key: str) -> str | None:
    r"""What is expected of a key instead; None where it may stay as it is.

    Example:
        >>> key_fault("imagery/33N/chip.tif") is None, key_fault("../elsewhere"), key_fault("a\nb")
        (True, 'a relative path within the store', 'no control characters')
    """
    if len(key) > MAX_KEY:
        return f"at most {MAX_KEY:,} characters"
    if _DRIVE.match(key):
        return _RELATIVE
    return next((fault for part in key.split("/") if (fault := _part_fault(part)) is not None), None)


@lru_cache(maxsize=1 << 16)
def _part_fault(part: str) -> str | None:
    """What is expected of one component instead."""
    if part in {"", ".", ".."} or "\\" in part or "\0" in part:
        return _RELATIVE
    if not _USUAL.fullmatch(part) and (fault := _letter_fault(part)) is not None:
        return fault
    if len(part) > MAX_PART // 4 and len(part.encode()) > MAX_PART:
        return f"at most {MAX_PART} bytes between slashes"
    if _DEVICE.fullmatch(part):
        return "no name that Windows keeps for a device"
    return None


def _letter_fault(part: str) -> str | None:
    if any(unicodedata.category(letter) in {"Cc", "Zl", "Zp"} or letter in _TURNING for letter in part):
        return "no control characters"
    if any("\ud800" <= letter <= "\udfff" for letter in part):
        return "text that is valid Unicode"
    if part[-1] in ". ":
        return "no component that ends with a dot or a space"
    if part.startswith(".") and part.casefold().endswith(UNFINISHED):
        return "a name that no unfinished file has"
    return None


def folded(key: str) -> str:
    """What is equal of keys that some file system takes for one: case and Unicode form do not count.

    Example:
        >>> folded("Straße/A.tif") == folded("STRASSE/a.TIF")
        True
    """
    return key.lower() if key.isascii() else unicodedata.normalize("NFC", unicodedata.normalize("NFD", key).casefold())


def refused_keys(keys: Iterable[str]) -> dict[str, str]:
    """Which of the keys that somebody else named cannot be taken, and why; the first of several that collide stays.

    Args:
        keys: each once, in the order in which they count.

    Returns:
        Key → reason, as `got …, expected …`.

    Example:
        >>> refused_keys(["a.tif", "A.tif", "b/c", "b", ".Landloom/x"])["A.tif"]
        "got key 'A.tif', expected another name than 'a.tif', which some disks take for the same"
    """
    refused: dict[str, str] = {}
    taken: dict[str, str] = {}
    folders: dict[str, str] = {}
    accepted: set[str] = set()
    for key in keys:
        form = folded(key)
        folder, _, name = key.rpartition("/")
        if folder in accepted and len(key) <= MAX_KEY and not (_part_fault(name) or form in taken or form in folders):
            taken[form] = key  # nothing but its name is new
            continue
        expected = key_fault(key) or _own_fault(key) or _collision(form, taken, folders)
        if expected is not None:
            refused[key] = told(key, expected)
            continue
        if folder:
            accepted.add(folder)
        taken[form] = key
        while "/" in form:
            form = form.rpartition("/")[0]
            if form in folders:
                break
            folders[form] = key
    return refused


_OWN: Final = frozenset(folded(name) for name in (OWN_FOLDER, *OWN_FILES))


def _own_fault(key: str) -> str | None:
    if folded(key.partition("/")[0]) in _OWN:
        return f"another name: {OWN_FOLDER}/ and {', '.join(OWN_FILES)} are written by landloom itself"
    return None


def _collision(form: str, taken: dict[str, str], folders: dict[str, str]) -> str | None:
    other = taken.get(form)
    if other is not None:
        return f"another name than {other!r}, which some disks take for the same"
    if form in folders:
        return f"another name than the folder of {folders[form]!r}"
    while "/" in form:
        form = form.rpartition("/")[0]
        if form in taken:
            return f"no folder of the name of the file {taken[form]!r}"
        if form in folders:
            break
    return None


def told(key: str, expected: str) -> str:
    """The message of a refusal; a long key is cut."""
    shown = key if len(key) <= 200 else f"{key[:197]}..."
    return f"got key {shown!r}, expected {expected}"
