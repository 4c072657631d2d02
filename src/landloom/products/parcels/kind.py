"""Label rasters of parcels: the products they publish, and the units that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest, RecipeKey, ReportFacts
from landloom.engine.sources.parcels import classes_csv
from landloom.engine.sources.prepared import FOLDER, labels_period
from landloom.engine.units import Unit, unit_digest
from landloom.errors import Problem
from landloom.formats.csv_table import csv_bytes
from landloom.model.product import Product
from landloom.model.rendering.known import AMBIGUITY, CLAIMED, IDENTIFIERS
from landloom.model.rendering.palettes import mapped_rendering
from landloom.model.rendering.values import Continuous
from landloom.model.sensor import Band
from landloom.model.time import Period
from landloom.products.parcels.section import ParcelsProduct
from landloom.products.parcels.task import CHUNK, VERSION, LayersTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.engine.sources.prepared import Prepared
    from landloom.labels.classes import ClassMapping
    from landloom.model.recipe import Sections
    from landloom.model.rendering.values import Rendering
    from landloom.store.protocol import Store

_ROWS: Final = {
    "classes": ("Parcel classes", "uint8", "Code of the class of the parcel that covers most"),
    "ids": ("Parcel ids", "int64", "Id of that parcel, 0 where none is"),
    "ratios": ("Parcel coverage", "float32", "Share of the pixel that it covers, 0 to 1"),
    "distances": (
        "Distances to the parcel edge",
        "float32",
        "Metres from the centre of the pixel to the outline of the parcel, NaN where none is",
    ),
    "masks": (
        "Doubly claimed pixels",
        "uint8",
        "2: parcels of different class cover all of the pixel; 1: parcels of different class touch it",
    ),
    "ambiguity": ("Ambiguity bits", "uint8", "1 partial, 2 full, 4 same class, 8 edge of the region"),
}
"""Layer → title, data type, and meaning of its values."""
_SHOWN: Final[dict[str, Rendering]] = {
    "ids": IDENTIFIERS,
    "ratios": Continuous(limits=(0.0, 1.0), unit="share of the pixel"),
    "distances": Continuous(unit="m", nothing="no parcel"),
    "masks": CLAIMED,
    "ambiguity": AMBIGUITY,
}
"""Layer → how its numbers are shown; classes are shown by their mapping."""


class ParcelsKind(ProductKind[ParcelsProduct]):
    """Rasters of class, id, coverage, distance to the edge, and ambiguity."""

    name = "parcels"
    section = ParcelsProduct
    recipe_key = RecipeKey(name="parcels", many=False, text="Parcels for label rasters.")
    schemes = frozenset({"window"})

    def misfits(self, key: str, section: ParcelsProduct, read: Sections) -> Iterator[Problem]:
        """Regression targets have no classes; each layer is listed once."""
        yield from super().misfits(key, section, read)
        fields = ParcelsProduct.model_fields
        for name in ("classes", "unmapped", "codes"):
            if section.regression and getattr(section, name) != fields[name].default:
                yield Problem(where=f"parcels.{name}", what="the ground truth is a number, not a class: remove it")
        if not section.layers or len(set(section.layers)) != len(section.layers):
            yield Problem(where="parcels.layers", what=f"got {list(section.layers)}, expected at least one, each once")

    def files(self, section: ParcelsProduct) -> Iterable[str]:
        """The parcels, and the file of their classes."""
        return (section.file, section.classes) if isinstance(section.classes, str) else (section.file,)

    def describe(
        self, request: ProductRequest[ParcelsProduct], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        """One product per layer; the data type of the class map is known after the parcels have been read."""
        prepared = None if placement is None else placement.prepared
        period = Period.parse(*labels_period(request.section, request.project))
        return tuple(
            ProductInfo(product=product, terms=request.section.terms, stated_period=period, label_version=VERSION)
            for product in products(
                request.section,
                None if prepared is None else prepared.mapping,
                0 if prepared is None else prepared.nobody,
            )
        )

    def class_mappings(
        self, request: ProductRequest[ParcelsProduct], placement: Placement
    ) -> Mapping[str, list[dict[str, str | int]]]:
        """The whole class mapping."""
        prepared = placement.prepared
        return {} if prepared is None or prepared.mapping is None else {"classes": prepared.rows()}

    def units(self, request: ProductRequest[ParcelsProduct], inputs: PlanInputs) -> list[Unit]:
        """One unit per several thousand samples."""
        prepared = _prepared(inputs.placement)
        made = tuple(products(request.section, prepared.mapping, prepared.nobody))
        settings = [[row.key, row.dtype, row.resolution] for row in made]
        units = []
        for tile, samples in inputs.tiles.items():
            years = {year: [one for one in samples if getattr(one.id, "year", None) == year] for year in prepared.years}
            parts = [
                (year, tuple(own[start : start + CHUNK]))
                for year, own in years.items()
                for start in range(0, len(own), CHUNK)
            ]
            for number, (year, part) in enumerate(parts):
                only = tuple(prepared.parcels[str(sample.id)] for sample in part) if prepared.alone else None
                task = LayersTask(
                    store=inputs.store,
                    layout=inputs.layout,
                    products=made,
                    samples=part,
                    grid=prepared.grid,
                    only=only,
                    year=year,
                )
                placed = [(str(one.id), one.bounds) for one in part]
                unit = Unit(
                    kind=self.name,
                    product=request.unit,
                    tile=tile,
                    part=number,
                    makes=tuple(product.key for product in made),
                    samples=part,
                    key=unit_digest(prepared.key, settings, only, placed, inputs.layout.name),
                    memory=2**29,
                    task=task,
                )
                units.append(unit)
        return units

    def tables(
        self, request: ProductRequest[ParcelsProduct], placement: Placement, store: Store
    ) -> list[tuple[str, bytes]]:
        """The whole class mapping, rejected parcels, and the parcels of the windows."""
        name, prepared = request.project.recipe.name, _prepared(placement)
        rejected = store.get(f"{FOLDER}/rejected.csv")
        rows = ((own, "", "without a window", why) for own, why in prepared.left_out)
        files = [(f"resources/{name}_rejected_parcels.csv", rejected + csv_bytes((), rows).lstrip(b"\n"))]
        if prepared.mapping is not None:
            files.append((f"resources/{name}_classes.csv", classes_csv(prepared.rows())))
        if prepared.outlines:
            files.append((f"resources/{name}_parcel_windows.csv", prepared.outlines))
        return files

    def report(self, request: ProductRequest[ParcelsProduct], facts: ReportFacts) -> list[str]:
        """Class map, layers, one series, classes, and rejected parcels."""
        from landloom.products.parcels.report import parcel_parts

        return parcel_parts(facts.store)


def _prepared(placement: Placement) -> Prepared:
    if placement.prepared is None:
        raise TypeError("got samples without parcels; the recipe has not been checked")
    return placement.prepared


def layer_rendering(name: str, mapping: ClassMapping | None) -> Rendering | None:
    """How a layer is shown; None for classes without a mapping: numbers of a regression."""
    return _SHOWN.get(name) or (None if mapping is None else mapped_rendering(mapping.rows()))


def products(section: ParcelsProduct, mapping: ClassMapping | None, nobody: int = 0) -> list[Product]:
    """The raster-label products of a recipe, in its order.

    Args:
        section: section of the recipe.
        mapping: gives the data type of the class map; None for regression, or if it is not known yet.
        nobody: what stands for no parcel among ids.
    """
    made = []
    for name in section.layers:
        title, dtype, text = _ROWS[name]
        if name == "classes":
            dtype = "float32" if mapping is None else mapping.dtype.name
        shown = layer_rendering(name, mapping)
        if name == "ids" and nobody:
            text = f"Id of that parcel, {nobody} where none is: 0 is one"
        made.append(
            Product(
                key=name,
                folder=None,
                collection="labels_parcels",
                prefix=name,
                kind="raster-labels",
                title=title,
                resolution=section.resolution,
                dtype=dtype,
                nodata=nobody or None if name == "ids" else None,
                bands=(Band(name=name, description=text, resolution=10, rendering=shown),),
            )
        )
    return made
