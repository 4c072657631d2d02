"""Addresses of files by the hundred thousand: one byte matrix a block instead of a string each.

Every sample of a block has the same lines but for its folder and its id, and these have one width. So a block is one
row of bytes, repeated, into whose gaps folders and ids are copied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidIdentityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

DIRECTORY: Final = "{directory}"
"""Stands for `33N/16E-243N` in a template."""
IDENTITY: Final = "{id}"
"""Stands for the sample's id in a template."""
_BLOCK: Final = 1 << 21
"""Bytes of a block; it should stay in the processor's cache."""


def label_template(prefix: str) -> str:
    """Relative path of the class fractions of a sample, with gaps for folder and id.

    Example:
        >>> label_template("labels")
        'labels/{directory}/labels_{id}.geojson'
    """
    return f"labels/{DIRECTORY}/{prefix}_{IDENTITY}.geojson"


def raster_label_template(prefix: str, version: str) -> str:
    """Relative path of a raster label.

    Example:
        >>> raster_label_template("consensus", "1")
        'labels/{directory}/{id}/consensus-1.tif'
    """
    return f"labels/{DIRECTORY}/{IDENTITY}/{prefix}-{version}.tif"


def chip_template(folder: str, stem: str) -> str:
    """Relative path of a chip.

    Args:
        folder: of the product: `S2-SR`.
        stem: of the file: the timestep, with the band where each is a file of its own.

    Example:
        >>> chip_template("S2-SR", "2018-01")
        'imagery/{directory}/{id}/S2-SR/2018-01.tif'
    """
    return f"imagery/{DIRECTORY}/{IDENTITY}/{folder}/{stem}.tif"


def directories_of(ids: NDArray[np.bytes_]) -> NDArray[np.bytes_]:
    """`33N/16E-243N` of `utm24` ids, all at once.

    Raises:
        InvalidIdentityError: an id that is none; the first is named.

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
        raise InvalidIdentityError.of(wrong, wanted="a sample such as 33N_16E-243N_29_01")
    result = text[:, :12].copy()
    result[:, 3] = ord("/")
    return result.view("S12").reshape(-1)


def _matrix(stem: NDArray[np.uint8], widths: tuple[int, int], templates: Iterable[str], base: str) -> bytes:
    """Lines of samples whose folder and id lie in `stem`, joined by a slash."""
    folder, identity = widths
    row = bytearray()
    whole: list[int] = []
    split: list[tuple[int, int]] = []
    for text in templates:
        before, after = (base + text).split(DIRECTORY)
        between, end = after.split(IDENTITY)
        row += before.encode()
        first = len(row)
        row += bytes(folder) + between.encode()
        second = len(row)
        row += bytes(identity) + end.encode() + b"\n"
        if second == first + folder + 1:
            whole.append(first)
        else:
            split.append((first, second))
    out = np.empty((len(stem), len(row)), dtype=np.uint8)
    out[:] = np.frombuffer(bytes(row), np.uint8)
    for first in whole:
        out[:, first : first + folder] = stem[:, :folder]
        out[:, first + folder + 1 : first + folder + 1 + identity] = stem[:, folder + 1 :]
    for first, second in split:
        out[:, first : first + folder] = stem[:, :folder]
        out[:, second : second + identity] = stem[:, folder + 1 :]
    return out.tobytes()


def blocks(
    directories: NDArray[np.bytes_], ids: NDArray[np.bytes_], templates: Sequence[str], base: str = ""
) -> Iterator[bytes]:
    r"""Lines of samples, sample by sample, in blocks of some megabytes.

    Args:
        directories: (n,) folder of each sample, `33N/16E-243N`.
        ids: (n,) its id.
        templates: one a line, with one gap for each.
        base: stands before every line.

    Yields:
        Lines, each with its line feed.

    Example:
        >>> ids = np.array([b"33N_16E-243N_29_01"])
        >>> list(blocks(directories_of(ids), ids, [chip_template("S2-SR", "2018-01")]))
        [b'imagery/33N/16E-243N/33N_16E-243N_29_01/S2-SR/2018-01.tif\n']
    """
    if not len(ids) or not templates:
        return
    widths = directories.dtype.itemsize, ids.dtype.itemsize
    regular = bool((np.char.str_len(directories[[0, -1]]) == widths[0]).all())
    length = sum(len(base) + len(text) + sum(widths) for text in templates)
    step = max(_BLOCK // length, 1)
    for start in range(0, len(ids), step):
        own = slice(start, start + step)
        if regular and _one_width(directories[own], widths[0]) and _one_width(ids[own], widths[1]):
            stem = np.empty((len(ids[own]), sum(widths) + 1), dtype=np.uint8)
            stem[:, : widths[0]] = np.ascontiguousarray(directories[own]).view(np.uint8).reshape(-1, widths[0])
            stem[:, widths[0] + 1 :] = np.ascontiguousarray(ids[own]).view(np.uint8).reshape(-1, widths[1])
            stem[:, widths[0]] = ord("/")
            yield _matrix(stem, widths, templates, base)
        else:
            yield _plain(directories[own], ids[own], templates, base)


def _one_width(texts: NDArray[np.bytes_], width: int) -> bool:
    last = np.ascontiguousarray(texts).view(np.uint8).reshape(-1, width)[:, -1]
    return bool((last != 0).all())


def _plain(directories: NDArray[np.bytes_], ids: NDArray[np.bytes_], templates: Sequence[str], base: str) -> bytes:
    lines: list[str] = []
    names = zip(directories.astype(str).tolist(), ids.astype(str).tolist(), strict=True)
    for directory, identity in names:
        lines += [base + text.replace(DIRECTORY, directory).replace(IDENTITY, identity) for text in templates]
    return ("\n".join(lines) + "\n").encode()
