"""Estimate of a recipe: samples, chips, bytes and memory, before anything is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

from landloom.engine.context import build_context
from landloom.engine.pixels.blocks import BUDGET
from landloom.engine.plan import gather, make_plan
from landloom.engine.project import CORPUS_FOLDER
from landloom.model.ids import CELL_SIZE
from landloom.pipelines.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from landloom.corpus.info import ProductInfo
    from landloom.engine.project import Project
    from landloom.engine.registry import Registry
    from landloom.engine.run import Listener
    from landloom.model.sample import Sample
    from landloom.model.time import Period

REVISIT: Final = 5
"""Days between overpasses of two satellites, for axes that only the archive can determine."""
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
    """None if only the draw can determine the number of samples."""
    size: int | None
    """Estimated bytes on disk in layout `chips`; None in the same case."""
    made_here: bool
    """False for a series made elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The figures of a plan."""

    name: str
    samples: int | None
    """None if only the draw can determine it."""
    zones: int | None
    tiles: int | None
    products: tuple[ProductEstimate, ...]
    scenes: int | None
    """None until the archive has been searched."""
    memory: int
    """Peak memory of a worker in bytes."""
    missing: tuple[str, ...]
    """Missing inputs."""

    def chips(self, role: str) -> int | None:
        """Chips of all products with a role; None if only the draw can determine them."""
        return _sum(product.chips for product in self.products if product.role == role)

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "name": self.name,
            "samples": self.samples,
            "zones": self.zones,
            "tiles": self.tiles,
            "scenes": self.scenes,
            "image_chips": self.chips("data"),
            "quality_chips": self.chips("metadata"),
            "bytes": _sum(product.size for product in self.products),
            "worker_memory": self.memory,
            "missing_inputs": list(self.missing),
            "products": [
                {
                    "key": p.key,
                    "role": p.role,
                    "timesteps": p.timesteps,
                    "chips": p.chips,
                    "bytes": p.size,
                    "made_here": p.made_here,
                }
                for p in self.products
            ],
        }


def _sum(numbers: Iterable[int | None]) -> int | None:
    known = list(numbers)
    return None if None in known else sum(number or 0 for number in known)


def zones_of(bounds: tuple[float, float, float, float]) -> int:
    """Number of UTM zones that WGS84 bounds overlap, hemispheres counted separately.

    Example:
        >>> zones_of((-24.0, 34.5, 44.9, 71.5))
        12
    """
    columns = ceil(bounds[2] / 6) - floor(bounds[0] / 6)
    return columns * (2 if bounds[1] < 0 < bounds[3] else 1)


def estimate(
    project: Project, registry: Registry, samples: Sequence[Sample] | None = None, scenes: int | None = None
) -> Estimate:
    """Estimate the size of a recipe's corpus.

    Args:
        project: the recipe in its folder.
        registry: its kinds and samplers.
        samples: the chosen samples, if they have been placed; else the numbers in the recipe are used.
        scenes: number of their scenes, if the archive has been searched.
    """
    recipe = project.recipe
    if samples is None:
        stated = registry.sampler(recipe.samples).stated(project, recipe.samples)
        count, tiles, side = stated.count, stated.tiles, stated.side
        zones = stated.zones or (zones_of(recipe.region.bounds) if recipe.region.bounds else None)
    else:
        count, tiles = len(samples), len({sample.tile for sample in samples})
        zones = len({sample.id.zone for sample in samples})
        side = samples[0].side if samples else float(CELL_SIZE)
    products: list[ProductEstimate] = []
    for request in registry.requests(project):
        made = {item.key for item in request.kind.describe(request)}
        products.extend(
            _product(item, request.period, count, side, made_here=item.key in made)
            for item in request.kind.estimated(request)
            if item.product.kind in {"imagery", "quality"}
        )
    return Estimate(
        name=recipe.name,
        samples=count,
        zones=zones,
        tiles=tiles,
        products=tuple(products),
        scenes=scenes,
        memory=2 * BUDGET,
        missing=tuple(registry.missing_inputs(project)),
    )


def _product(item: ProductInfo, period: Period, count: int | None, side: float, *, made_here: bool) -> ProductEstimate:
    product = item.product
    dates = max((period.end - period.start).days // REVISIT, 1)
    steps = dates if item.acquired else len(item.timesteps)
    pixels = round(side / float(product.resolution or 10)) ** 2
    size_of = {"uint8": 1, "uint16": 2}.get(product.dtype, 4)
    chips = None if count is None else count * steps
    size = None if chips is None else round(chips * pixels * len(product.bands) * size_of * COMPRESSION)
    return ProductEstimate(
        key=item.key, role=product.role, timesteps=steps, chips=chips, size=size, made_here=made_here
    )


def estimate_recipe(recipe: str | Path, *, search: bool = True, listener: Listener | None = None) -> Estimate:
    """Estimate the size of a recipe's corpus; if its inputs exist, samples are placed and the archive is searched.

    The results of placing are kept next to the recipe, in the state of the future corpus, and used by a build.

    Args:
        recipe: recipe file, or folder with a `landloom.yaml`.
        search: whether samples are placed and the archive is searched.
        listener: receives progress.

    Raises:
        RecipeError: the recipe has problems.
        BuildError: units that placing needs have failed.
        FaultError: the archive does not answer.
    """
    project = REGISTRY.open(recipe)
    numbers = estimate(project, REGISTRY)
    if not search or numbers.missing:
        return numbers
    with build_context(project.folder / CORPUS_FOLDER, listener=listener) as context:
        inputs, problems = gather(project, REGISTRY, context, fetch=False)
        plan = make_plan(project, REGISTRY, inputs, problems)
    return estimate(project, REGISTRY, plan.placement.samples, plan.scene_count)
