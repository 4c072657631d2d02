"""Models as files: skops, which reads data only, whereas pickle would run code."""

from __future__ import annotations

import io
import math
import zlib
from typing import IO, TYPE_CHECKING, Any, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.labels.guess.model import GuessModel, packed

if TYPE_CHECKING:
    from collections.abc import Collection

TRUSTED: Final = frozenset(
    {
        "imblearn.ensemble._forest.BalancedRandomForestClassifier",
        "imblearn.pipeline.Pipeline",
        "imblearn.under_sampling._prototype_selection._random_under_sampler.RandomUnderSampler",
        "sklearn.tree._tree.Tree",
    }
)
"""Types that a model may contain in addition to those that skops trusts."""
LARGEST: Final = 2**29
"""Bytes of the parts of a model at most; those of the published forests have a tenth."""
LARGEST_SCHEMA: Final = 2**24
"""Bytes of a part without an array at most."""
_BROKEN: Final = (
    BadZipFile,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RuntimeError,  # RecursionError among them
    OSError,
    EOFError,
    ImportError,
    zlib.error,
)
"""What reading a broken model may raise."""


def encode_model(model: GuessModel) -> bytes:
    """Encode a model as a skops file.

    Raises:
        MissingExtraError: the extra `guess` is not installed.
    """
    return write_skops({"classifier": model.classifier, "classes": list(model.classes), "weights": model.weights})


def decode_model(data: bytes) -> GuessModel:
    """Read a model.

    Raises:
        InvalidInputError: not a skops file, or one with types that no guess needs; the message lists them.
        MissingExtraError: the extra `guess` is not installed.

    Example:
        >>> decode_model(b"no model")
        Traceback (most recent call last):
            ...
        landloom.errors.InvalidInputError: got 8 bytes, expected a model file: File is not a zip file
    """
    document = read_skops(data, TRUSTED)
    try:
        classes, weights = tuple(document["classes"]), np.asarray(document["weights"], dtype=np.float64)
        classifier = document["classifier"]
    except _BROKEN as error:
        raise InvalidInputError(f"got {len(data)} bytes, expected a model file: {error}") from error
    return GuessModel(classifier=classifier, classes=classes, weights=weights, forest=packed(classifier))


def read_skops(data: bytes, trusted: Collection[str]) -> dict[str, Any]:
    """Read a skops file that holds a document; nothing in it is run.

    Args:
        data: its bytes.
        trusted: types that it may contain in addition to those that skops trusts.

    Raises:
        InvalidInputError: not a skops file of a document, or one with other types; the message lists them.
        MissingExtraError: the extra `guess` is not installed.
    """
    skops = _skops()
    try:
        _check_sizes(data)
        unknown = sorted(set(skops.get_untrusted_types(data=data)) - set(trusted))
        if unknown:
            raise InvalidInputError(f"got a model with types that it does not need: {', '.join(unknown)}")
        document = skops.loads(data, trusted=sorted(trusted))
    except _BROKEN as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError(f"got {len(data)} bytes, expected a model file: {error}") from error
    if not isinstance(document, dict):
        raise InvalidInputError(f"got a file of {type(document).__name__}, expected a model file")
    return document


def write_skops(document: dict[str, Any]) -> bytes:
    """Encode a document with estimators as a skops file.

    Raises:
        MissingExtraError: the extra `guess` is not installed.
    """
    data: bytes = _skops().dumps(document)
    return data


def _check_sizes(data: bytes) -> None:
    """Refuse files that unfold to more than a model, or whose arrays say that they are larger than they are."""
    with ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        size = sum(member.file_size for member in members)
        schema = max((member.file_size for member in members if not member.filename.endswith(".npy")), default=0)
        if size > LARGEST or schema > LARGEST_SCHEMA:
            raise InvalidInputError(f"got a model that unfolds to {size:,} bytes, expected at most {LARGEST:,}")
        for member in members:
            if member.filename.endswith(".npy"):
                with archive.open(member) as file:
                    _check_array(file, member)


def _check_array(file: IO[bytes], member: ZipInfo) -> None:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if math.prod(shape) * dtype.itemsize > member.file_size:
        raise InvalidInputError(f"got {member.filename} of {member.file_size:,} bytes for an array of shape {shape}")


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtraError.of("guess", "a file of a guess model") from error
    return skops.io
