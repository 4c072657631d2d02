"""What a recipe will come to: samples, chips, bytes and memory, before anything is fetched."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

from landloom.engine.blocks import BUDGET
from landloom.model.ids import CELL_SIZE
from landloom.model.recipe import AreaClassDraw, ListedCells, ParcelWindows, WindowGrid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from landloom.engine.project import Project
    from landloom.model.sample import Sample

COMPRESSION: Final = 0.72
"""Deflated bytes per raw byte of Sentinel-2 chips, measured on the published example (86,400 to 61,587 bytes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEstimate:
    """One product of a plan."""

    key: str
    role: str
    """`data`: image chips; `metadata`: quality chips."""
    timesteps: int
    chips: int | None
    """None where only the draw can tell how many samples there are."""
    size: int | None
    """Estimated bytes on disk in layout `chips`; None likewise."""
    made_here: bool
    """False for a series that is made elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A plan in numbers."""

    name: str
    samples: int | None
    """None where only the draw can tell."""
    zones: int | None
    tiles: int | None
    products: tuple[ProductEstimate, ...]
    scenes: int | None
    """None until the archive has been asked."""
    memory: int
    """Peak bytes of a worker."""
    missing: tuple[str, ...]
    """Inputs that are not there yet."""

    def chips(self, role: str) -> int | None:
        """Chips of all products with a role; None where only the draw can tell."""
        return _sum(product.chips for product in self.products if product.role == role)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name, "samples": self.samples, "zones": self.zones, "tiles": self.tiles,
            "scenes": self.scenes, "image_chips": self.chips("data"), "quality_chips": self.chips("metadata"),
            "bytes": _sum(product.size for product in self.products), "worker_memory": self.memory,
            "missing_inputs": list(self.missing),
            "products": [
                {"key": p.key, "role": p.role, "timesteps": p.timesteps, "chips": p.chips, "bytes": p.size,
                 "made_here": p.made_here}
                for p in self.products
            ],
        }  # fmt: skip


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = list(numbers)
    return None if None in known else sum(number or 0 for number in known)


def zones_of(bounds: tuple[float, float, float, float]) -> int:
    """How many UTM zones WGS84 bounds reach into, both hemispheres counted.

    Example:
        >>> zones_of((-24.0, 34.5, 44.9, 71.5))
        12
    """
    columns = ceil(bounds[2] / 6) - floor(bounds[0] / 6)
    return columns * (2 if bounds[1] < 0 < bounds[3] else 1)


def estimate(project: Project, samples: Sequence[Sample] | None = None, scenes: int | None = None) -> Estimate:
    """Count what a recipe comes to.

    Args:
        project: the recipe in its folder.
        samples: the chosen samples, where they have been drawn; the recipe's own numbers count otherwise.
        scenes: how many the archive has for them, where it has been asked.
    """
    recipe = project.recipe
    if samples is None:
        count, zones, tiles = _stated(project)
        side = float(CELL_SIZE)
        if isinstance(recipe.samples, WindowGrid | ParcelWindows):
            side = recipe.samples.size * recipe.samples.resolution
    else:
        count, tiles = len(samples), len({sample.tile for sample in samples})
        zones = len({sample.id.zone for sample in samples})
        side = samples[0].bounds[2] - samples[0].bounds[0] if samples else float(CELL_SIZE)
    made = {product.key for product in project.imagery()}
    made_elsewhere = [key for key in recipe.products if key not in project.series()]
    keys = list(dict.fromkeys([*made_elsewhere, *(product.key for product in project.imagery())]))
    products = tuple(_product(project, key, count, side, made_here=key in made) for key in keys)
    return Estimate(
        name=recipe.name, samples=count, zones=zones, tiles=tiles, products=products, scenes=scenes,
        memory=2 * BUDGET, missing=tuple(project.missing_inputs()),
    )  # fmt: skip


def _product(project: Project, key: str, count: int | None, side: float, *, made_here: bool) -> ProductEstimate:
    product = project.product(key)
    steps = len(project.timesteps(key)) or project.expected_dates(key)
    pixels = round(side / float(product.resolution or 10)) ** 2
    item = {"uint8": 1, "uint16": 2}.get(product.dtype, 4)
    chips = None if count is None else count * steps
    size = None if chips is None else round(chips * pixels * len(product.bands) * item * COMPRESSION)
    return ProductEstimate(key=key, role=product.role, timesteps=steps, chips=chips, size=size, made_here=made_here)


def _stated(project: Project) -> tuple[int | None, int | None, int | None]:
    recipe = project.recipe
    zones = zones_of(recipe.region.bounds) if recipe.region.bounds else None
    samples = recipe.samples
    if isinstance(samples, AreaClassDraw):
        return samples.count, zones, samples.tiles
    if isinstance(samples, ListedCells) and samples.ids:
        return len(samples.ids), zones, None
    if isinstance(samples, WindowGrid) and samples.rows and samples.columns:
        return samples.rows * samples.columns, 1, 1
    return None, zones, None
