"""The interfaces of product kinds and samplers; the engine knows none of them by name.

A `ProductKind` defines its section of a recipe, the products that it publishes, the units that make them, and its part
of the report. A `Sampler` chooses the samples of a corpus. `landloom.pipelines.registry` lists both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from landloom.errors import Problem
from landloom.model.recipe import ProductSection, SamplerSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa
    from numpy.typing import NDArray

    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.corpus.layout import Layout
    from landloom.engine.context import BuildContext
    from landloom.engine.journal import JournalEntry
    from landloom.engine.placement import Placement
    from landloom.engine.project import Project
    from landloom.engine.results import Results
    from landloom.engine.scenes.archives import Archives
    from landloom.engine.units import Unit
    from landloom.model.ids import GranuleId
    from landloom.model.recipe import Recipe, Sections
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.model.time import Period
    from landloom.store.network.traffic import Counts
    from landloom.store.protocol import Store

S = TypeVar("S", bound=ProductSection)
P = TypeVar("P", bound=SamplerSection)


MOST_NOTES: Final = 20
"""Lines on the units of a product that a build shows; its report has all of them."""
SHARED: Final = "products"
"""Key of a recipe under which kinds share their sections."""


def _counted(total: int, tellers: int) -> str:
    """How often something was the case, and in how many units, after what it is."""
    if total > tellers:
        return f": {total:,}"
    return f", in {tellers:,} units" if tellers > 1 else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeKey:
    """The key of a recipe under which a kind's sections stand."""

    name: str = SHARED
    """`products`, where each section has a `kind`; or a key of the kind's own."""
    many: bool = True
    """Whether it holds several sections, by name; else one or none."""
    after: str = SHARED
    """Key after which a separate key stands in documents."""
    text: str = ""
    """Description of a separate key, for the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRequest:
    """The scenes that a product needs."""

    archive: str
    """Name of the archive in the recipe."""
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRequest(Generic[S]):
    """A request of a recipe to a kind: one of its sections."""

    kind: ProductKind[S]
    key: str
    """Its key in the recipe: `s2`, `clc`; for a single section the key of the section: `guess`."""
    section: S
    project: Project

    @property
    def path(self) -> str:
        """Its path in the recipe: `products.s2`, `labels.clc`, `guess`."""
        outer = self.kind.recipe_key
        return f"{outer.name}.{self.key}" if outer.many else outer.name

    @property
    def unit(self) -> str:
        """Name of its units: the path, without `products`."""
        return self.key if self.kind.recipe_key.name == SHARED else self.path

    @property
    def period(self) -> Period:
        """Its own period, else the recipe's."""
        return self.project.period(self.section)

    @property
    def scenes(self) -> SceneRequest:
        """Scenes of its archive and period."""
        return SceneRequest(archive=self.project.recipe.archive_of(self.section), period=self.period)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInputs:
    """All inputs of planning, which reads nothing else."""

    placement: Placement
    tiles: Mapping[str, tuple[Sample, ...]]
    """Tile → its samples, both in id order."""
    scenes: Mapping[str, Mapping[str, tuple[Scene, ...]]]
    """Path of a request → tile → scenes, for kinds that need scenes; those of `more_scenes` by path, point and name."""
    identities: Mapping[str, str]
    """Absolute path of an input file → identity."""
    store: str
    """Address of the corpus."""
    layout: Layout
    """Its keys."""
    makers: Mapping[tuple[str, str], Unit] = field(default_factory=dict)
    """Tile and product → the unit that makes it, for preceding requests."""
    products: Mapping[str, ProductInfo] = field(default_factory=dict)
    """Key → product, for preceding requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """The facts for a build report."""

    store: Store
    """The corpus, as built."""
    info: CorpusInfo
    table: pa.Table
    """Its index."""
    entries: tuple[JournalEntry, ...]
    """Units, without their files."""
    traffic: Mapping[str, Counts] = field(default_factory=dict)
    """Host → what it was asked for, and what it gave."""
    costs: Mapping[str, float] = field(default_factory=dict)
    """Host → what it has cost, of those whose price was told."""

    def of(self, request: ProductRequest[Any]) -> list[JournalEntry]:
        """The finished units of a request, in id order."""
        return [one for one in self.entries if one.product == request.unit and one.state == "done"]


class ProductKind(ABC, Generic[S]):
    """A way to make products; instances are stateless values."""

    name: ClassVar[str]
    """Value of `kind` in a recipe, or the name of the kind's own section."""
    section: ClassVar[type[ProductSection]]
    """Its settings."""
    recipe_key: ClassVar[RecipeKey] = RecipeKey()
    """Key of its sections in a recipe."""
    archive_fields: ClassVar[tuple[str, ...]] = ("archive",)
    """Keys of its sections that name archives."""
    schemes: ClassVar[frozenset[str] | None] = None
    """Identity schemes of the samples that it supports; any if None."""

    # Reading a recipe

    def misfits(self, key: str, section: S, read: Sections) -> Iterator[Problem]:
        """Problems of the section in the context of the recipe; settings without effect are refused.

        Args:
            key: of the section.
            section: to check.
            read: key of the recipe → section, for sections that are valid in themselves.
        """
        samples = read.get("samples")
        if samples is not None and self.schemes is not None and samples.scheme not in self.schemes:
            where = f"{self.recipe_key.name}.{key}" if self.recipe_key.many else self.recipe_key.name
            drawn = " or ".join(sorted(self.schemes))
            yield Problem(
                where=where, what=f"{self.name} is not made of samples of scheme {samples.scheme}; expected {drawn}"
            )

    def completed(self, section: S, recipe: Recipe) -> S:
        """The section with the defaults filled in that depend on other sections."""
        return section

    def files(self, section: S) -> Iterable[str]:
        """Input files of the section, by the names used in it."""
        return ()

    # Published products

    @abstractmethod
    def describe(self, request: ProductRequest[S], placement: Placement | None = None) -> tuple[ProductInfo, ...]:
        """The products that it publishes.

        Args:
            request: of the recipe.
            placement: the samples, if known; details that depend on them are left open without it.

        Returns:
            In published order. Timesteps of an acquired axis are empty until the units have run.
        """

    def estimated(self, request: ProductRequest[S]) -> tuple[ProductInfo, ...]:
        """Products for estimates before a build; more than those published if some are made elsewhere."""
        return self.describe(request)

    def class_mappings(
        self, request: ProductRequest[S], placement: Placement
    ) -> Mapping[str, list[dict[str, str | int]]]:
        """Product → every value of its source with code and role, if it maps values to codes."""
        return {}

    def needs(self, section: S) -> Iterable[str]:
        """Keys of products that it is made from and that other sections of the recipe must make."""
        return ()

    # Units of work

    def check(self, request: ProductRequest[S], context: BuildContext) -> None:
        """Refuse unusable inputs, before anything is made.

        Raises:
            InvalidInputError: names the input and the place in it.
        """

    def scenes(self, request: ProductRequest[S]) -> SceneRequest | None:
        """Scenes that it needs for each tile; None if it needs none, or uses those of the granules."""
        return None

    def more_scenes(self, request: ProductRequest[S]) -> Mapping[str, SceneRequest]:
        """Name → scenes of further archives that it needs; `PlanInputs.scenes` has them by path, point and name."""
        return {}

    @abstractmethod
    def units(self, request: ProductRequest[S], inputs: PlanInputs) -> list[Unit]:
        """The units that make its products; pure."""

    def notes(self, request: ProductRequest[S], results: Results) -> list[str]:
        """Lines on problems that its units worked around, for the user: equal ones of all tiles are one line.

        Raises:
            InvalidInputError: the products are of no use at all.
        """
        totals: Counter[str] = Counter()
        tellers: Counter[str] = Counter()
        for unit in results.units(product=request.unit):
            outcome = results.of(unit, whole=False)
            for note in () if outcome is None else outcome.notes:
                totals[note.what] += note.count
                tellers[note.what] += 1
        lines = [f"{request.unit}: {what}{_counted(n, tellers[what])}" for what, n in sorted(totals.items())]
        more = len(lines) - MOST_NOTES
        return lines if more <= 0 else [*lines[:MOST_NOTES], f"{request.unit}: {more} more notes: see the report"]

    # Publication

    def shares(self, request: ProductRequest[S], tile: str, store: Store) -> NDArray[Any] | None:
        """(sample, class) area shares of a tile in millionths for the index; None if it has none."""
        return None

    def tables(self, request: ProductRequest[S], placement: Placement, store: Store) -> list[tuple[str, bytes]]:
        """Key and bytes of files that belong to no tile."""
        return []

    def report(self, request: ProductRequest[S], facts: ReportFacts) -> list[str]:
        """Parts of the build report, as HTML."""
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSamples:
    """The number of samples according to the recipe alone; None if it is known only after placement."""

    count: int | None = None
    tiles: int | None = None
    zones: int | None = None
    side: float
    """Side of a sample in metres."""


class Sampler(ABC, Generic[P]):
    """A way to place samples; instances are stateless values."""

    section: ClassVar[type[SamplerSection]]
    """Its settings, distinguished from those of other samplers by `draw`."""
    policy: ClassVar[str] = "all"
    """Default policy for choosing scenes."""

    def misfits(self, section: P, read: Sections) -> Iterator[Problem]:
        """Problems of the section in the context of the recipe."""
        yield from ()

    def files(self, section: P) -> Iterable[str]:
        """Input files of the section, by the names used in it."""
        return ()

    @abstractmethod
    def place(self, project: Project, section: P, context: BuildContext, archives: Archives) -> Placement:
        """Choose the samples; deterministic in the recipe and its inputs.

        Raises:
            InvalidInputError: the region or other inputs cannot be used, or the request cannot be met.
            BuildError: units that it needs have failed.
        """

    @abstractmethod
    def stated(self, project: Project, section: P) -> StatedSamples:
        """The number and size of samples according to the recipe alone."""

    def granules(self, project: Project, section: P) -> list[GranuleId] | None:
        """The granules to search scenes for; None for those of the region."""
        return None

    def report(self, draw: Mapping[str, Any], info: CorpusInfo) -> list[str]:
        """Parts of the build report, as HTML: the outcome of a draw."""
        return []
