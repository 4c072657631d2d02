"""Columns of Arrow → columns of a frame, exactly: no number becomes another because of what stands beside it."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from decimal import Decimal

_LISTED: Final = 10


def nfc(text: str) -> str:
    """Text in Unicode's composed form, in which names are compared.

    Example:
        >>> len("A\u030aland"), len(nfc("A\u030aland"))
        (6, 5)
    """
    return unicodedata.normalize("NFC", text)


def column_values(column: pa.Array | pa.ChunkedArray, where: str, rows: np.ndarray[Any, Any]) -> Any:
    """Values of a column: whole numbers as such also beside nulls, text composed, documents as lists and mappings.

    Args:
        column: of any type.
        where: file and column, for messages.
        rows: what its rows are called.

    Raises:
        InvalidInputError: text that is not UTF-8; rows are named.
    """
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(column, where, rows)
    if pa.types.is_dictionary(kind):
        return column_values(column.cast(kind.value_type), where, rows)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _objects(_texts(column, where, rows))
    exact = pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    if pa.types.is_floating(kind) or (exact and column.null_count == 0):
        return column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    return _objects(_plain(column))


def _plain(column: Any) -> list[Any]:
    if pa.types.is_decimal(column.type):
        return [_number(value) for value in column.to_pylist()]
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError):  # nanoseconds, or years that Python has not
        return list(column.cast(pa.string()).to_pylist())


def _objects(values: list[Any]) -> np.ndarray[Any, Any]:
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result


def _of_extension(column: Any, where: str, rows: np.ndarray[Any, Any]) -> Any:
    storage = pa.chunked_array(
        [chunk.storage for chunk in getattr(column, "chunks", [column])], column.type.storage_type
    )
    values = column_values(storage, where, rows)
    if column.type.extension_name != "arrow.json":
        return values
    return _objects([None if value is None else _document(value) for value in values])


def _document(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _texts(column: Any, where: str, rows: np.ndarray[Any, Any]) -> list[str | None]:
    try:
        values: list[str | None] = column.to_pylist()
    except UnicodeDecodeError as error:
        raw = column.cast(pa.binary()).to_pylist()
        bad = [rows[position] for position, value in enumerate(raw) if value is not None and not _decodes(value)]
        more = f" and {len(bad) - _LISTED} more" if len(bad) > _LISTED else ""
        shown = ", ".join(map(str, bad[:_LISTED]))
        raise InvalidInputError(
            f"{where}: got text that is not UTF-8 in rows {shown}{more}; name its encoding"
        ) from error
    if not pc.all(pc.string_is_ascii(column)).as_py():
        values = [None if value is None else nfc(value) for value in values]
    return values


def _decodes(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
