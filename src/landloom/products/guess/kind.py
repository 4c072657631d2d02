"""Guess labels: the products they publish, and the units that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest, RecipeKey
from landloom.engine.pixels.mask_sections import pixel_mask
from landloom.engine.sources.class_map import class_map
from landloom.engine.units import Unit, unit_digest
from landloom.errors import Problem
from landloom.model.product import Product
from landloom.model.rendering.known import PERCENT, PROBABILITY
from landloom.model.sensor import SENTINEL_2_L2A, Band
from landloom.model.taxonomy import taxonomy
from landloom.products.guess.section import GuessProduct
from landloom.products.guess.task import MEMORY, SHOWN, GuessTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.model.recipe import Sections

SCENES: Final = "s2_scenes"
"""Product with the series used for prediction."""
CLASSES: Final = "scl"
"""Product with the scene classifications."""
FOREST: Final = "balanced-random-forest"
_OF_FOREST: Final = ("trees", "depth", "leaves", "per_tree")
GUESS: Final = Product(
    key="guess",
    folder=None,
    collection="labels",
    prefix="labels",
    kind="raster-labels",
    resolution=10,
    title="Guess labels",
    dtype="uint8",
    bands=(
        Band(
            name="class",
            description="LandCoverNet class, 0 where nothing was seen",
            resolution=10,
            rendering=SHOWN,
        ),
        Band(name="confidence", description="Probability of the class in percent", resolution=10, rendering=PERCENT),
    ),
)
PROBABILITIES: Final = Product(
    key="guess_probabilities",
    folder=None,
    collection="labels",
    prefix="probabilities",
    kind="raster-labels",
    title="Probabilities of the guess",
    resolution=10,
    dtype="uint16",
    bands=tuple(
        Band(
            name=f"class_{code}",
            description=f"Probability of class {code}, 10,000 = 1",
            resolution=10,
            rendering=PROBABILITY,
        )
        for code in range(1, 8)
    ),
)
DATES: Final = Product(
    key="source_dates",
    folder=None,
    collection="labels",
    prefix="source_dates",
    kind="raster-labels",
    title="Dates and ids of the scenes",
    nodata=None,
    suffix="csv",
)
PRODUCTS: Final = (GUESS, PROBABILITIES, DATES)


class GuessKind(ProductKind[GuessProduct]):
    """A classifier for each granule, trained on an existing land-cover map."""

    name = "guess"
    section = GuessProduct
    recipe_key = RecipeKey(name="guess", many=False, after="scenes", text="Guess labels of granules' chips.")
    schemes = frozenset({"granule"})

    def misfits(self, key: str, section: GuessProduct, read: Sections) -> Iterator[Problem]:
        """Settings of a classifier other than the one named, and a buffer without held-out chips."""
        yield from super().misfits(key, section, read)
        fields = GuessProduct.model_fields
        changed = {name for name, field in fields.items() if getattr(section, name) != field.default}
        if section.classifier == FOREST and section.options:
            yield Problem(where="guess.options", what=f"{FOREST} has its own keys: {', '.join(_OF_FOREST)}")
        if section.classifier != FOREST:
            for name in sorted(changed & set(_OF_FOREST)) if section.forest == "default" else ():
                yield Problem(where=f"guess.{name}", what=f"only used by {FOREST}: use options")
        if section.classifier != FOREST and section.forest != "default":
            yield Problem(where="guess.forest", what=f"only used by {FOREST}: remove it")
        if not section.held_out and "buffer" in changed:
            yield Problem(where="guess.buffer", what="no chips are held out: remove it, or set held_out")

    def needs(self, section: GuessProduct) -> Iterable[str]:
        """The series of the chips and its scene classes."""
        return (SCENES, CLASSES)

    def files(self, section: GuessProduct) -> Iterable[str]:
        """The training map."""
        return (section.file,)

    def describe(
        self, request: ProductRequest[GuessProduct], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        """The guess, its probabilities, and the scenes behind it."""
        return tuple(
            ProductInfo(
                product=product,
                terms=request.section.terms,
                stated_period=request.project.recipe.period.value,
                taxonomy=taxonomy("landcovernet") if product is GUESS else None,
            )
            for product in PRODUCTS
        )

    def units(self, request: ProductRequest[GuessProduct], inputs: PlanInputs) -> list[Unit]:
        """One unit per granule, after its series."""
        project, section, units = request.project, request.section, []
        target = class_map(project, section)
        for tile, samples in inputs.tiles.items():
            maker = inputs.makers[tile, SCENES]
            source: Any = project.recipe.products[maker.product]
            task = GuessTask(
                store=inputs.store,
                layout=inputs.layout,
                layouts=project.recipe.layouts,
                products=PRODUCTS,
                section=section,
                bands=tuple(band.name for band in inputs.products[SCENES].product.bands),
                mask=pixel_mask(source, SENTINEL_2_L2A),
                series=inputs.products[SCENES].product,
                classes=inputs.products[CLASSES].product,
                samples=samples,
                scenes=inputs.placement.granules[tile],
                target=target,
                seed=project.recipe.seed,
            )
            decides = unit_digest(
                section.model_dump(mode="json", exclude={"terms", "file", "forest"}),
                target.identity(inputs.identities[target.path]),
                project.recipe.seed,
                maker.key,
            )
            unit = Unit(
                kind=self.name,
                product=request.unit,
                tile=tile,
                makes=tuple(product.key for product in PRODUCTS),
                samples=samples,
                key=decides,
                memory=MEMORY,
                task=task,
                needs=(maker.id,),
                reads=tuple(task.scenes.candidates),
            )
            units.append(unit)
        return units
