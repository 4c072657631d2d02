"""Models as files: skops, which reads data only, whereas pickle would run code."""

from __future__ import annotations

from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from landloom.errors import InvalidInputError, MissingExtraError
from landloom.labels.guess.model import GuessModel, packed

TRUSTED: Final = frozenset(
    {
        "imblearn.ensemble._forest.BalancedRandomForestClassifier",
        "imblearn.pipeline.Pipeline",
        "imblearn.under_sampling._prototype_selection._random_under_sampler.RandomUnderSampler",
        "sklearn.tree._tree.Tree",
    }
)
"""Types that a model may contain in addition to those that skops trusts."""


def encode_model(model: GuessModel) -> bytes:
    """Encode a model as a skops file.

    Raises:
        MissingExtraError: the extra `guess` is not installed.
    """
    data: bytes = _skops().dumps(
        {"classifier": model.classifier, "classes": list(model.classes), "weights": model.weights}
    )
    return data


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
    skops = _skops()
    try:
        unknown = sorted(set(skops.get_untrusted_types(data=data)) - TRUSTED)
        if unknown:
            raise InvalidInputError(f"got a model with types that no guess needs: {', '.join(unknown)}")
        document: dict[str, Any] = skops.loads(data, trusted=sorted(TRUSTED))
        classes, weights = tuple(document["classes"]), np.asarray(document["weights"], dtype=np.float64)
        classifier = document["classifier"]
    except (BadZipFile, KeyError, TypeError) as error:
        raise InvalidInputError(f"got {len(data)} bytes, expected a model file: {error}") from error
    return GuessModel(classifier=classifier, classes=classes, weights=weights, forest=packed(classifier))


def _skops() -> Any:
    try:
        import skops.io
    except ImportError as error:
        raise MissingExtraError.of("guess", "a file of a guess model") from error
    return skops.io
