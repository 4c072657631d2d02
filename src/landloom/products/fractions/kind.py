"""Class fractions: the products they publish, and the units that compute them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest, RecipeKey
from landloom.engine.sources.cell_fractions import (
    CellsTask,
    SampleCells,
    is_named_as_raster,
    read_millionths,
    source_settings,
)
from landloom.engine.sources.check import check_once
from landloom.engine.sources.label_files import LabelFiles
from landloom.engine.sources.unlabelled import bounds_of, label_notes, require_labels, unlabelled
from landloom.engine.units import Unit, unit_digest
from landloom.errors import Problem
from landloom.model.product import PRODUCTS, Product
from landloom.model.taxonomy import taxonomy
from landloom.products.fractions.section import FractionsProduct

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from landloom.engine.context import BuildContext
    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.engine.results import Results
    from landloom.model.recipe import Sections
    from landloom.store.protocol import Store

FOLDER: Final = ".landloom/samples"
"""Folder of the prepared tables."""


class FractionsKind(ProductKind[FractionsProduct]):
    """Area shares of the classes of a taxonomy in each sample."""

    name = "fractions"
    section = FractionsProduct
    recipe_key = RecipeKey(name="labels", text="Name → label product.")
    schemes = frozenset({"utm24", "window"})

    def misfits(self, key: str, section: FractionsProduct, read: Sections) -> Iterator[Problem]:
        """Rasters have neither columns nor layers."""
        yield from super().misfits(key, section, read)
        for name in ("column", "layer"):
            if is_named_as_raster(section.file) and getattr(section, name) is not None:
                yield Problem(where=f"labels.{key}.{name}", what="a raster has none: remove it")

    def files(self, section: FractionsProduct) -> Iterable[str]:
        """The label source."""
        return (section.file,)

    def describe(
        self, request: ProductRequest[FractionsProduct], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        """One product."""
        return (
            ProductInfo(
                product=_product(request),
                terms=request.section.terms,
                taxonomy=taxonomy(request.section.taxonomy),
                stated_period=request.project.recipe.period.value,
            ),
        )

    def check(self, request: ProductRequest[FractionsProduct], context: BuildContext) -> None:
        """Read the whole source once."""
        check_once(request.key, request.project.path(request.section.file), request.section, context)

    def units(self, request: ProductRequest[FractionsProduct], inputs: PlanInputs) -> list[Unit]:
        """One unit per tile."""
        section, product, units = request.section, _product(request), []
        path = request.project.path(section.file)
        columns = taxonomy(section.taxonomy).columns()
        for tile, samples in inputs.tiles.items():
            cells = SampleCells(samples=samples)
            files = LabelFiles(layout=inputs.layout, product=product, columns=columns, samples=samples)
            task = CellsTask(
                store=inputs.store, key=_key(request.key, tile), path=path, source=section, cells=cells, labels=files
            )
            published = product.prefix, inputs.layout.name, [str(sample.id) for sample in samples]
            decides = unit_digest(inputs.identities[path], source_settings(section), cells.identity(), published)
            units.append(
                Unit(
                    kind=self.name,
                    product=request.unit,
                    tile=tile,
                    makes=(product.key,),
                    samples=samples,
                    key=decides,
                    memory=256 * 2**20,
                    task=task,
                )
            )
        return units

    def notes(self, request: ProductRequest[FractionsProduct], results: Results) -> list[str]:
        """Samples without labels, repaired rows, areas claimed twice; labels that reach no sample are refused."""
        samples = [sample for own in results.tiles.values() for sample in own]
        outcomes = results.outcomes(request.unit)
        missing = unlabelled(outcomes.values())
        path = request.project.path(request.section.file)
        require_labels(path, request.section, missing, len(samples), bounds_of(samples))
        return label_notes(request.key, outcomes, len(samples))

    def shares(self, request: ProductRequest[FractionsProduct], tile: str, store: Store) -> NDArray[Any] | None:
        """The fractions table of a tile."""
        return read_millionths(store, _key(request.key, tile))


def _key(name: str, tile: str) -> str:
    return f"{FOLDER}/{name}/{tile}.npy"


def _product(request: ProductRequest[FractionsProduct]) -> Product:
    """The first label product is the main one; the names of further ones end in their key."""
    row = PRODUCTS["labels"]
    first = next(iter(getattr(request.project.recipe, request.kind.recipe_key.name)))
    if request.key == first:
        return row
    name = f"labels_{request.key.replace('-', '_')}"
    return replace(row, key=name, collection=name, prefix=name)
