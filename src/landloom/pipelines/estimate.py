"""Estimate of a recipe: samples, chips, bytes and memory, before anything is downloaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

from landloom.engine.context import build_context
from landloom.engine.executors import inline
from landloom.engine.pixels.blocks import BUDGET
from landloom.engine.plan import gather, make_plan
from landloom.model.ids import CELL_SIZE
from landloom.pipelines.claiming import claimed
from landloom.pipelines.estimates.headers import headers_of
from landloom.pipelines.estimates.trial import measured, reads
from landloom.pipelines.estimates.work import Bill, Rates, Work
from landloom.pipelines.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from landloom.corpus.info import ProductInfo
    from landloom.engine.executors import Factory
    from landloom.engine.kinds import PlanInputs
    from landloom.engine.plan import Plan
    from landloom.engine.project import Project
    from landloom.engine.registry import Registry
    from landloom.engine.run import Listener
    from landloom.model.sample import Sample
    from landloom.model.time import Period
    from landloom.pipelines.estimates.headers import Headers
    from landloom.pipelines.estimates.work import Measured

REVISIT: Final = 5
"""Days between overpasses of two satellites, for axes that only the archive can determine."""
COMPRESSION: Final = {"imagery": 0.71, "quality": 0.10}
"""Deflated bytes per raw byte by kind of product. Imagery: the published examples, 61,587 of 86,400 bytes of a
Sentinel-2 chip and 226,829 of 320,000 of a fused one. Quality: the nine layers that `landloom demo fused` makes, 6,461
of 64,800 bytes."""
STATED: Final = "usual compression"
"""Source of bytes that nothing was measured for."""


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
    source: str = STATED
    """What the bytes of a chip were taken from."""


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
    placed: bool = False
    """Whether samples were placed and scenes found; else all numbers are the recipe's own."""
    archive_bytes: int | None = None
    """Bytes of all files of the scenes as the archive states them: the most that can be read; None if it does not."""
    work: Work | None = None
    """Of the products that were measured; None if none was."""
    bill: Bill | None = None
    """Its time and cost at the stated rates."""
    unmeasured: tuple[str, ...] = ()
    """Products whose work is not in it."""
    headers: Headers | None = None
    """What the headers of some source files say of all that is read; None if none was read."""

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
            "placed": self.placed,
            "archive_bytes": self.archive_bytes,
            "work": None if self.work is None else self.work.document(),
            "bill": None if self.bill is None else self.bill.document(),
            "unmeasured": list(self.unmeasured),
            "headers": None if self.headers is None else self.headers.document(),
            "products": [
                {
                    "key": p.key,
                    "role": p.role,
                    "timesteps": p.timesteps,
                    "chips": p.chips,
                    "bytes": p.size,
                    "made_here": p.made_here,
                    "bytes_from": p.source,
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
    project: Project,
    registry: Registry,
    samples: Sequence[Sample] | None = None,
    scenes: int | None = None,
    found: Mapping[str, Measured] | None = None,
) -> Estimate:
    """Estimate the size of a recipe's corpus.

    Args:
        project: the recipe in its folder.
        registry: its kinds and samplers.
        samples: the chosen samples, if they have been placed; else the numbers in the recipe are used.
        scenes: number of their scenes, if the archive has been searched.
        found: product of the recipe → what was measured of it.
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
        part = (found or {}).get(request.unit)
        products.extend(
            _measured(_product(item, request.period, count, side, made_here=item.key in made), part)
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
        placed=samples is not None,
    )


def _measured(product: ProductEstimate, part: Measured | None) -> ProductEstimate:
    """With the size that was measured, if it was."""
    size = None if part is None else part.sizes.get(product.key)
    if part is None or size is None or product.chips is None:
        return product
    return replace(product, size=round(product.chips * size), source=part.source)


def _product(item: ProductInfo, period: Period, count: int | None, side: float, *, made_here: bool) -> ProductEstimate:
    product = item.product
    dates = max((period.end - period.start).days // REVISIT, 1)
    steps = dates if item.acquired else len(item.timesteps)
    pixels = round(side / float(product.resolution or 10)) ** 2
    size_of = {"uint8": 1, "uint16": 2}.get(product.dtype, 4)
    chips = None if count is None else count * steps
    size = (
        None
        if chips is None
        else round(chips * pixels * len(product.bands) * size_of * COMPRESSION.get(product.kind, 1))
    )
    return ProductEstimate(
        key=item.key, role=product.role, timesteps=steps, chips=chips, size=size, made_here=made_here
    )


def estimate_recipe(
    recipe: str | Path,
    *,
    out: str | Path | None = None,
    search: bool = True,
    measure: bool = True,
    rates: Rates | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
) -> Estimate:
    """Estimate the size of a recipe's corpus; if its inputs exist, samples are placed and the archive is searched.

    What placing computes, such as the class fractions of all cells, is kept in the state of the future corpus, and a
    build there takes it from it unless what decides it has changed.

    Args:
        recipe: recipe file, or folder with a `landloom.yaml`.
        out: of the future corpus, as of a build; by default `corpus` next to the recipe.
        search: whether samples are placed and the archive is searched.
        measure: whether headers of some source files are read, and, of products of which the corpus has none, a
            timestep of a tile, or a month of a fused series, is made and thrown away.
        rates: at which work takes time and costs money.
        factory: makes the executor that computes what placing needs.
        listener: receives progress.

    Raises:
        RecipeError: the recipe has problems.
        ForeignCorpusError: the folder contains another corpus, or something else.
        BuildError: units that placing needs have failed.
        FaultError: the archive does not answer.
    """
    project, place, _ = claimed(recipe, out)
    numbers = estimate(project, REGISTRY)
    if not search or numbers.missing:
        return numbers
    with build_context(place, factory, listener) as context:
        inputs, problems = gather(project, REGISTRY, context, fetch=False)
        plan = make_plan(project, REGISTRY, inputs, problems)
        headers = headers_of(plan, context) if measure else None
        found = measured(plan, context, _folders(plan), make=measure)
    numbers = estimate(project, REGISTRY, plan.placement.samples, plan.scene_count, found)
    numbers = replace(numbers, archive_bytes=_archive_bytes(inputs), headers=headers)
    return _billed(numbers, plan, found, rates or Rates())


def _folders(plan: Plan) -> dict[str, str]:
    """Product → its folder, of those with chips."""
    described = (item for request in plan.requests for item in request.kind.describe(request, plan.placement))
    return {item.key: item.product.folder for item in described if item.product.folder is not None}


def _billed(numbers: Estimate, plan: Plan, found: Mapping[str, Measured], rates: Rates) -> Estimate:
    """With the work of all units of the products that were measured, and its time and cost."""
    if not found:
        return numbers
    chips = {product.key: product.chips or 0 for product in numbers.products}
    work, others = Work(), set()
    for product in sorted({unit.product for unit in plan.units}):
        own = [unit for unit in plan.units if unit.product == product]
        if product not in found:
            others.add(product)
            continue
        count = sum(chips.get(key, sum(len(unit.samples) for unit in own)) for key in own[0].makes)
        work += found[product].scaled(reads=reads(own), chips=count)
    return replace(numbers, work=work, bill=Bill.of(work, rates), unmeasured=tuple(sorted(others)))


def _archive_bytes(inputs: PlanInputs) -> int | None:
    """Bytes of the files of all scenes; None if the archive leaves out any."""
    files = {
        file.href: file.size
        for answer in inputs.scenes.values()
        for scenes in answer.values()
        for scene in scenes
        for file in (*scene.bands.values(), *scene.layers.values())
    }
    return _sum(files.values()) if files else None
