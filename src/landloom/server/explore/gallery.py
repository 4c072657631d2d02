"""The gallery: images of a selection, in an order."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.lineage import read_lineage
from landloom.errors import InvalidDocumentError, InvalidInputError, MissingKeyError, NotFoundError
from landloom.model.apportion import MILLION
from landloom.model.ids import parse_sample_id
from landloom.server.explore.images import TIMELESS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.query.index.sidecar import Sidecar
    from landloom.query.selection import Selection
    from landloom.server.explore.images import Images

CONSIDERED: Final = {"index": 100_000, "share": 100_000, "date": 100_000, "cloud": 5_000, "valid": 600}
"""Order → samples that are put in order at most: clouds stand in a document a tile, valid pixels in the chips."""
MOST: Final = 60
"""Images of one answer."""
_COMPARED: Final = 24
"""Images of a sample that are read to find the clearest."""
_UNKNOWN: Final = 100.0
"""Percent of cloud where none is recorded."""


def shares_of(sidecar: Sidecar, column: str) -> NDArray[np.int32]:
    """(sample,) millionths of a class or a group of classes.

    Raises:
        NotFoundError: no such column.
    """
    members = sidecar.groups.get(column, (column,))
    if not set(members) <= set(sidecar.columns):
        raise NotFoundError.of("class", column, (*sidecar.columns, *sidecar.groups))
    found = np.zeros(len(sidecar), np.int32)
    for member in members:
        rows, values = sidecar.labels.entries(sidecar.columns.index(member))
        found[rows] += values
    return found


def _considered(
    chosen: Selection, order: str, column: str | None
) -> tuple[NDArray[np.int32], NDArray[np.int32] | None]:
    """Rows that are put in order, those with the largest share first for `share`; and the share of every sample."""
    if order not in CONSIDERED:
        raise InvalidInputError(f"sort: got {order!r}, expected {', '.join(CONSIDERED)}")
    if order == "share" and not column:
        raise InvalidInputError("sort: got 'share' without a class")
    shares = shares_of(chosen.sidecar, column) if column else None
    rows = chosen.rows
    if order == "share" and shares is not None:
        rows = rows[np.argsort(-shares[rows], kind="stable")]
    return rows[: CONSIDERED[order]], shares


class Gallery:
    """Puts images in order, thread-safe.

    Args:
        images: of the corpus.
    """

    def __init__(self, images: Images) -> None:
        self.images = images
        self._clouds = lru_cache(maxsize=4_096)(self._clouds_of)

    def page(
        self,
        chosen: Selection,
        product: str,
        order: str,
        column: str | None = None,
        step: str | None = None,
        first: int = 0,
    ) -> dict[str, Any]:
        """Some of the images of a selection.

        Args:
            chosen: the selection.
            product: key.
            order: `index`, `share` (largest first), `cloud` (least first), `valid` (most first) or `date`.
            column: class of `share`.
            step: the only timestep; all of them if None.
            first: position of the first; there are 60 in an answer.

        Returns:
            Number of images, of samples that were put in order, and of samples chosen; and images in order,
            with share of the class, share of valid pixels and cloud cover of the scenes in percent, each None if it
            is not known.

        Raises:
            InvalidInputError: no such order, or `share` without a class.
            NotFoundError: no such product, class or timestep.
        """
        rows, shares = _considered(chosen, order, column)
        names = self._names(product)
        there = self.images.existing(rows, product)
        if step is not None:
            if step not in names:
                raise NotFoundError.of("timestep", step, names)
            there &= np.array([name == step for name in names])
        places, steps = np.nonzero(there)
        picked = self._ordered(rows[places], steps, product, order)
        now = picked[max(first, 0) : max(first, 0) + MOST]
        shown = rows[places[now]]
        each = zip(shown.tolist(), chosen.sidecar.texts(shown), steps[now].tolist(), strict=True)
        return {
            "images": len(picked),
            "considered": len(rows),
            "samples": len(chosen),
            "items": [self._item(row, identity, product, names[number], shares) for row, identity, number in each],
        }

    def _names(self, product: str) -> tuple[str, ...]:
        return tuple(step.name for step in self.images.info.product(product).timesteps) or (TIMELESS,)

    def _ordered(
        self, rows: NDArray[np.integer[Any]], steps: NDArray[np.intp], product: str, order: str
    ) -> NDArray[np.intp]:
        """Positions of images in order; what is not known comes last."""
        if order in ("index", "share"):
            return np.arange(len(rows))
        if order == "date":
            return np.argsort(steps, kind="stable")
        names, sidecar = self._names(product), self.images.corpus.sidecar
        ids: Sequence[str] = sidecar.texts(np.asarray(rows, np.int32))
        if order == "cloud":
            known = [self.cloud(identity, product, names[step]) for identity, step in zip(ids, steps, strict=True)]
        else:
            read = self.images.valid_share
            found = [read(identity, product, names[step]) for identity, step in zip(ids, steps, strict=True)]
            known = [None if share is None else -share for share in found]
        return np.argsort([np.inf if value is None else value for value in known], kind="stable")

    def _item(
        self, row: int, identity: str, product: str, step: str, shares: NDArray[np.int32] | None
    ) -> dict[str, Any]:
        return {
            "id": identity,
            "row": row,
            "step": step,
            "share": None if shares is None else int(shares[row]) / MILLION,
            "valid": self.images.valid_share(identity, product, step),
            "cloud": self.cloud(identity, product, step),
        }

    def clearest(self, identity: str, product: str) -> str | None:
        """The timestep of a sample with most valid pixels; of several, that with least cloud, then the middle one.

        Of a long series, those with least cloud are read.

        Args:
            identity: of the sample.
            product: key.

        Returns:
            None where there is no image, or where the product has no time.

        Raises:
            NotFoundError: no such sample or product.
        """
        names = [name for name in self.images.steps(self.images.row(identity), product) if name != TIMELESS]
        clouds = {name: self.cloud(identity, product, name) for name in names}

        def cloud(place: int) -> tuple[float, int]:
            known = clouds[names[place]]
            return _UNKNOWN if known is None else known, abs(2 * place - len(names))

        read = sorted(range(len(names)), key=cloud)[:_COMPARED]
        valid = {place: round(self.images.valid_share(identity, product, names[place]) or 0.0, 2) for place in read}
        best = min(read, key=lambda place: (-valid[place], cloud(place)), default=None)
        return None if best is None else names[best]

    def cloud(self, identity: str, product: str, step: str) -> float | None:
        """Mean cloud cover of the scenes behind a timestep in the sample's tile, in percent; None if not recorded."""
        item = self.images.info.product(product).product
        if item.folder is None:
            return None
        scheme = self.images.info.scheme
        return self._clouds(self.images.info.layout.lineage(parse_sample_id(scheme, identity), item)).get(step)

    def _clouds_of(self, key: str) -> dict[str, float]:
        try:
            lineage = read_lineage(self.images.store.get(key), key)[2]
        except (MissingKeyError, InvalidDocumentError):  # `validate` reports a lineage that cannot be read
            return {}
        found = {}
        for step in lineage.timesteps:
            known = [scene.cloud_cover for scene in step.scenes if scene.cloud_cover is not None]
            if known:
                found[step.timestep] = round(float(np.mean(known)), 1)
        return found
