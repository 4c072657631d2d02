"""What reduces the observations of a timestep to a product, and judges the chips cut from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from landloom.imagery.composite import Observation
    from landloom.imagery.layers import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """Something wrong or odd about the chips of a sample and timestep."""

    reason: str
    certain: bool = True
    """Whether they must not be published; otherwise they are, and it is noted."""


class Reducer(Protocol):
    """Reduces the observations of a timestep; a value that is sent to workers."""

    def reduce(self, observations: Sequence[Observation], shape: tuple[int, int], bands: int) -> Sequence[NDArray[Any]]:
        """One array (band, y, x) for each product, in their order.

        Args:
            observations: one per overpass, on one grid; may be empty.
            shape: rows and columns.
            bands: number of bands of an observation.
        """
        ...

    def objection(self, chips: Sequence[NDArray[Any]], count: NDArray[np.uint16]) -> Objection | None:
        """What is wrong or odd about the chips of a sample; None if nothing is.

        Args:
            chips: (band, y, x) of each product.
            count: (y, x) valid observations.
        """
        ...


@runtime_checkable
class LayerReducer(Protocol):
    """A reducer that takes bands in their own pixels, which are fewer."""

    def reduce_layers(self, layers: Sequence[Layer], shape: tuple[int, int], bands: int) -> Sequence[NDArray[Any]]:
        """One array (band, y, x) for each product, in their order, as of `Reducer.reduce`.

        Args:
            layers: of all overpasses; may be empty.
            shape: rows and columns.
            bands: number of bands of a layer.
        """
        ...
