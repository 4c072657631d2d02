"""Superpixels of a series: small areas of similar behaviour over the year, which annotators fill with one stroke."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidValueError, MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES: Final = 8
"""Number of components of the series that are compared."""
COMPACTNESS: Final = 0.3
"""Weight of distance in space against distance in the series, whose components have a variance of 1 at most."""


def superpixels(reflectance: NDArray[np.uint16], valid: NDArray[np.bool_], size: int = 6) -> NDArray[np.uint16]:
    """Divide an area into segments of similar series (SLIC on the principal components of its clear observations).

    Args:
        reflectance: (time, band, y, x), 10,000 × reflectance.
        valid: (time, y, x) clear pixels; others count as the mean of the pixel's clear observations.
        size: side of a typical segment in pixels.

    Returns:
        (y, x) number of the segment, from 1, consecutive; the same input always gives the same segments.

    Raises:
        MissingExtraError: scikit-image is not installed.
        InvalidValueError: a size below 2, or more than 65,535 segments.
    """
    try:
        from skimage.segmentation import slic  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError.of("annotate", "dividing an area into superpixels") from error
    height, width = valid.shape[1:]
    count = max(round(height * width / size**2), 1) if size >= 2 else 0
    if not 1 <= count <= np.iinfo(np.uint16).max:
        raise InvalidValueError(f"got superpixels of {size} pixels, expected 2 or more, and at most 65,535 of them")
    features = components(reflectance, valid)
    if count == 1 or not features.shape[-1]:
        return np.ones((height, width), np.uint16)
    found = slic(
        features,
        n_segments=count,
        compactness=COMPACTNESS,
        max_num_iter=10,
        enforce_connectivity=True,
        convert2lab=False,
        channel_axis=-1,
        start_label=1,
    )
    _, numbers = np.unique(found, return_inverse=True)
    return (numbers.reshape(height, width) + 1).astype(np.uint16)


def components(reflectance: NDArray[np.uint16], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(y, x, component) principal components of a series, the first with a variance of 1.

    Observations that are not clear take the mean of the pixel's clear ones, so that clouds add no edge.
    """
    times, bands, height, width = reflectance.shape
    values = reflectance.astype(np.float64) / 10_000
    weights = valid[:, None].astype(np.float64)
    seen = weights.sum(axis=0)
    mean = (values * weights).sum(axis=0) / np.maximum(seen, 1)
    filled = np.where(valid[:, None], values, mean[None])
    flat = filled.reshape(times * bands, height * width)
    flat = flat - flat.mean(axis=1, keepdims=True)
    strengths, axes = np.linalg.eigh(flat @ flat.T / max(flat.shape[1], 1))
    order = np.argsort(-strengths, kind="stable")[:FEATURES]
    order = order[strengths[order] > 1e-12 * max(float(strengths.max()), 1e-12)]
    if not len(order) or strengths[order[0]] <= 1e-10:
        return np.empty((height, width, 0))
    axes = axes[:, order]
    # The sign of an eigenvector is arbitrary: its largest entry is made positive.
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    found = (axes.T @ flat) / np.sqrt(strengths[order[0]])
    return np.ascontiguousarray(found.T.reshape(height, width, -1))
