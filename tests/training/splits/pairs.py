"""Every pair of samples, looked at one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.query.index.sidecar import Sidecar
    from landloom.training.splits.distances import Footprints

GAP = 3000.0


def corners_of(sidecar: Sidecar) -> NDArray[np.float64]:
    return sidecar.corners(np.arange(len(sidecar), dtype=np.int32))


def every_pair(places: Footprints, reach: float) -> NDArray[np.int64]:
    """(pair, 2) all pairs nearer than a distance, by looking at every pair."""
    found = []
    for row, centre in enumerate(places.centres):
        far = np.linalg.norm(places.centres[row + 1 :] - centre, axis=1)
        others = row + 1 + np.flatnonzero(far <= reach + 2 * places.radius)
        found.append(np.column_stack([np.full(len(others), row), others]))
    pairs = np.concatenate(found)
    return pairs[places.distances(pairs[:, 0], pairs[:, 1]) < reach]
