"""Hundreds of thousands of file addresses as bytes: one replacement per sample instead of one string per file.

The lines of samples differ only in folder and id. So all lines of a sample are one pattern with a placeholder byte for
each gap, and the C library finds and fills the gaps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.layout import ANY_SAMPLE, Layout
from landloom.errors import InvalidIdentityError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_DIRECTORY: Final = Layout.tile_folder(ANY_SAMPLE)
_IDENTITY: Final = str(ANY_SAMPLE)
_BOTH, _FOLDER, _NAME = "\x01", "\x02", "\x03"
_BLOCK: Final = 1 << 19
"""Size of a block in bytes; it should fit into the processor's cache."""


def directories_of(ids: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    """Folders such as `33N/16E-243N` of `utm24` ids, vectorised.

    Raises:
        InvalidIdentityError: an invalid id; the first is named.

    Example:
        >>> directories_of(np.array([b"33N_16E-243N_29_01"])).tolist()
        [b'33N/16E-243N']
    """
    if not len(ids):
        return np.empty(0, dtype="S12")
    shape = np.frombuffer(b"00A_00A-000A_00_00", np.uint8)
    good: NDArray[np.bool_] = np.zeros(len(ids), dtype=bool)
    if ids.dtype.itemsize == 18:
        text = ids.view(np.uint8).reshape(-1, 18)
        digit = (text >= ord("0")) & (text <= ord("9"))
        fixed = text == shape
        good = np.asarray(np.where(shape == ord("0"), digit, fixed | (shape == ord("A"))).all(axis=1))
        good &= np.isin(text[:, 2], [ord("N"), ord("S")]) & (text[:, 6] == ord("E")) & (text[:, 11] == ord("N"))
    if not good.all():
        wrong = ids[int(np.argmin(good))].decode("ascii", "replace")
        raise InvalidIdentityError.of(wrong, expected="a sample such as 33N_16E-243N_29_01")
    result = text[:, :12].copy()
    result[:, 3] = ord("/")
    return result.view("S12").reshape(-1)


def filled(template: str, directory: str, identity: str) -> str:
    """One address.

    Args:
        template: a key of `ANY_SAMPLE`.
        directory: folder of the sample, `33N/16E-243N`.
        identity: its id.

    Example:
        >>> filled("labels/{zone}/{tile}/labels_{id}.geojson", "33N/16E-243N", "33N_16E-243N_29_01")
        'labels/33N/16E-243N/labels_33N_16E-243N_29_01.geojson'
    """
    return template.replace(_DIRECTORY, directory).replace(_IDENTITY, identity)


def _patterns(templates: Sequence[str], base: str) -> bytes:
    """All lines of one sample, with a placeholder byte for each gap."""
    lines = "".join(f"{base}{text}\n" for text in templates)
    for gap, byte in ((f"{_DIRECTORY}/{_IDENTITY}", _BOTH), (_DIRECTORY, _FOLDER), (_IDENTITY, _NAME)):
        lines = lines.replace(gap, byte)
    return lines.encode()


def blocks(
    directories: NDArray[np.bytes_], ids: NDArray[np.bytes_], templates: Sequence[str], base: str = ""
) -> Iterator[bytes]:
    r"""Lines of samples, sample by sample, in blocks that fit into a processor's cache.

    Args:
        directories: (n,) folder of each sample, `33N/16E-243N`.
        ids: (n,) id of each sample.
        templates: keys of `ANY_SAMPLE`, one per line.
        base: prefix of every line.

    Yields:
        Lines, each with its line feed.

    Example:
        >>> ids = np.array([b"33N_16E-243N_29_01"])
        >>> label = Layout(name="demo", version="1.0").label(ANY_SAMPLE)
        >>> b"".join(blocks(directories_of(ids), ids, [label]))
        b'labels/33N/16E-243N/labels_33N_16E-243N_29_01.geojson\n'
    """
    if not len(ids) or not templates:
        return
    pattern = _patterns(templates, base)
    both, folder, name = (byte.encode() for byte in (_BOTH, _FOLDER, _NAME))
    apart = folder in pattern or name in pattern
    step = max(_BLOCK // len(pattern), 1)
    for start in range(0, len(ids), step):
        pairs = list(zip(directories[start : start + step].tolist(), ids[start : start + step].tolist(), strict=True))
        lines = [pattern.replace(both, b"%b/%b" % pair) for pair in pairs]
        if apart:
            filled = zip(lines, pairs, strict=True)
            lines = [line.replace(folder, pair[0]).replace(name, pair[1]) for line, pair in filled]
        yield b"".join(lines)
