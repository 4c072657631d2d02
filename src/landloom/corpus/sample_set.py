"""Tables about the samples of a finished corpus, one file each: names, and the digest that proves their content."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pyarrow as pa

from landloom.errors import InvalidDocumentError, InvalidInputError, Problem
from landloom.formats.parquet import decode_parquet, encode_parquet, parquet_document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class SampleSet(Protocol):
    """A value for every sample of a corpus."""

    @property
    def digest(self) -> str:
        """SHA-256 of its content."""
        ...


Found = TypeVar("Found", bound=SampleSet)


def sample_set_key(folder: str, name: str, what: str) -> str:
    """Path of a set in a corpus.

    Raises:
        InvalidInputError: a name that is no file name.

    Example:
        >>> sample_set_key("splits", "blocks-3km", "a split set")
        'splits/blocks-3km.parquet'
    """
    if not (name and name.isascii() and name.replace("-", "").replace("_", "").isalnum()):
        raise InvalidInputError(f"got {name!r} as the name of {what}, expected letters, digits, - and _")
    return f"{folder}/{name}.parquet"


def encode_sample_set(own: SampleSet, table: pa.Table, key: str, document: Mapping[str, Any]) -> bytes:
    """A set as a Parquet file that cites its digest.

    Args:
        own: the set.
        table: its rows.
        key: of the document in the metadata of the file.
        document: what else belongs to it, as JSON values.
    """
    text = json.dumps({**document, "digest": own.digest}, sort_keys=True)
    return encode_parquet(table, metadata={key: text})


def decode_sample_set(
    data: bytes, name: str, *, what: str, key: str, column: str, parse: Callable[[Any, Mapping[str, Any]], Found]
) -> Found:
    """Read the file.

    Args:
        data: its bytes.
        name: of the file, for errors.
        what: it is, for errors: `a split set`.
        key: of the document in its metadata.
        column: that is read.
        parse: the set from the column and the document.

    Raises:
        InvalidDocumentError: no such set, or its digest is not that of its content.
    """
    try:
        array = decode_parquet(data, [column]).column(column).combine_chunks()
        document = parquet_document(data, key)
        found = parse(array, document)
        digest = document["digest"]
    except (InvalidInputError, AttributeError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        problem = Problem(where=name, what=f"cannot be read as {what}: {error}")
        raise InvalidDocumentError(name, [problem]) from error
    if digest != found.digest:
        problem = Problem(where=name, what=f"got digest {digest}, expected {found.digest}, that of its content")
        raise InvalidDocumentError(name, [problem])
    return found
