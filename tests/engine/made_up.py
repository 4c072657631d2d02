"""Product kinds and a sampler that no one else knows: what the engine does with them it does with all."""
# ruff: noqa: ARG002 - kinds and samplers are asked with more than these need

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from tests.engine.tasks import Square

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest, RecipeKey, Sampler, SceneRequest, StatedSamples
from landloom.engine.placement import Placement
from landloom.engine.registry import Registry
from landloom.engine.units import Unit, unit_digest
from landloom.errors import Problem
from landloom.model.ids import SampleId
from landloom.model.product import Product
from landloom.model.recipe import Name, PeriodSection, ProductSection, SamplerSection, Terms
from landloom.model.sample import Sample
from landloom.model.time import Cadence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from landloom.engine.context import BuildContext
    from landloom.engine.kinds import PlanInputs
    from landloom.engine.project import Project
    from landloom.engine.scenes.archives import Archives
    from landloom.model.recipe import Recipe
    from landloom.model.recipe.label_sections import Sections

TERMS = {"licence": "CC0-1.0", "attribution": "nobody"}
CELLS = ("33N_16E-243N_29_01", "33N_16E-243N_29_02", "33N_17E-243N_01_01")
RECIPE: dict[str, Any] = {
    "name": "made-up",
    "version": "1.0",
    "region": {"bounds": [14.9, 52.0, 15.7, 53.0]},
    "period": {"start": "2018-01-01", "end": "2018-03-01"},
    "samples": {"draw": "named"},
    "archive": {"kind": "static", "href": "catalog.json"},
    "products": {"grey": {"kind": "monthly", "terms": TERMS}},
    "publication": {"title": "t", "description": "d"},
}


class MonthlySection(ProductSection):
    """One number a month."""

    kind: Literal["monthly"]
    makes: str | None = None
    """Key of what it makes; its own if absent."""
    file: str | None = None
    period: PeriodSection | None = None
    archive: Name | None = None
    terms: Terms


class NamedSamples(SamplerSection):
    """Cells by name."""

    scheme: ClassVar[str] = "utm24"

    draw: Literal["named"]
    ids: tuple[str, ...] = CELLS
    file: str | None = None


class NoteSection(ProductSection):
    """Something that stands under a key of its own."""

    file: str = "notes.txt"
    about: tuple[str, ...] = ()
    """Keys of products that they are about."""
    terms: Terms


def row(key: str) -> Product:
    """A product that has but a key."""
    return Product(key=key, folder=key.upper(), collection=f"source_{key}", prefix=key, kind="imagery", title=key)


class MonthlyKind(ProductKind[MonthlySection]):
    """Makes one product from scenes."""

    name = "monthly"
    section = MonthlySection

    def misfits(self, key: str, section: MonthlySection, read: Sections) -> Iterator[Problem]:
        yield from super().misfits(key, section, read)
        if key == "black":
            yield Problem(where="products.black", what="too dark")

    def completed(self, section: MonthlySection, recipe: Recipe) -> MonthlySection:
        return section.model_copy(update={"makes": section.makes or f"made_{recipe.seed}"})

    def files(self, section: MonthlySection) -> Iterable[str]:
        return () if section.file is None else (section.file,)

    def describe(
        self, request: ProductRequest[MonthlySection], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        steps = Cadence.parse("month").timesteps(request.period)
        return (ProductInfo(product=row(str(request.section.makes)), terms=request.section.terms, timesteps=steps),)

    def scenes(self, request: ProductRequest[MonthlySection]) -> SceneRequest:
        return request.scenes

    def units(self, request: ProductRequest[MonthlySection], inputs: PlanInputs) -> list[Unit]:
        return [_unit(self, request, tile, samples, inputs) for tile, samples in inputs.tiles.items()]


class YearlySection(MonthlySection):
    """The same under another name."""

    kind: Literal["yearly"]  # type: ignore[assignment]


class YearlyKind(MonthlyKind):
    """The same under another name."""

    name = "yearly"
    section = YearlySection


class NotesKind(ProductKind[NoteSection]):
    """Makes one product for each name, after what comes before."""

    name = "notes"
    section = NoteSection
    recipe_key = RecipeKey(name="notes", text="Name → notes.")
    schemes = frozenset({"utm24"})

    def files(self, section: NoteSection) -> Iterable[str]:
        return (section.file,)

    def needs(self, section: NoteSection) -> Iterable[str]:
        return section.about

    def describe(
        self, request: ProductRequest[NoteSection], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        return (ProductInfo(product=row(f"notes_{request.key}"), terms=request.section.terms),)

    def units(self, request: ProductRequest[NoteSection], inputs: PlanInputs) -> list[Unit]:
        return [_unit(self, request, tile, samples, inputs) for tile, samples in inputs.tiles.items()]


class AloneSection(NoteSection):
    """The same under another key."""


class AloneKind(NotesKind):
    """The same once, for windows."""

    name = "alone"
    section = AloneSection
    recipe_key = RecipeKey(name="alone", many=False, after="scenes", text="Alone.")
    schemes = frozenset({"window"})


def _unit(
    kind: ProductKind[Any], request: ProductRequest[Any], tile: str, samples: tuple[Sample, ...], inputs: PlanInputs
) -> Unit:
    before = {maker.id for (own, _), maker in inputs.makers.items() if own == tile}
    scenes = [scene.id for scene in inputs.scenes.get(request.path, {}).get(tile, ())]
    return Unit(
        kind=kind.name,
        product=request.unit,
        tile=tile,
        makes=tuple(item.key for item in kind.describe(request)),
        samples=samples,
        key=unit_digest(request.section.model_dump(mode="json"), [str(one.id) for one in samples], scenes),
        memory=1,
        task=Square(number=len(samples)),
        needs=tuple(sorted(before)),
    )


class NamedSampler(Sampler[NamedSamples]):
    """Cells by name."""

    section = NamedSamples
    policy = "least-cloudy 3"

    def misfits(self, section: NamedSamples, read: Sections) -> Iterator[Problem]:
        if not section.ids:
            yield Problem(where="samples.ids", what="expected some")

    def files(self, section: NamedSamples) -> Iterable[str]:
        return () if section.file is None else (section.file,)

    def place(self, project: Project, section: NamedSamples, context: BuildContext, archives: Archives) -> Placement:
        cells = sorted({SampleId.parse(text) for text in section.ids})
        return Placement(samples=tuple(Sample.of_utm24(cell) for cell in cells))

    def stated(self, project: Project, section: NamedSamples) -> StatedSamples:
        return StatedSamples(count=len(section.ids), side=600.0)


REGISTRY = Registry(products=(MonthlyKind(), YearlyKind(), NotesKind(), AloneKind()), samplers=(NamedSampler(),))
