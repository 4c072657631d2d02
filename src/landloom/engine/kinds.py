"""What the engine asks of product kinds and samplers: it knows none of them by name.

A `ProductKind` says which section of a recipe is its own, which products it publishes, which units make them, and what
the report shows of them. A `Sampler` says which samples a corpus has. `landloom.pipelines.registry` lists both.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from landloom.errors import Problem
from landloom.model.recipe import ProductSection, SamplerSection

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

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
    from landloom.store.protocol import Store

S = TypeVar("S", bound=ProductSection)
P = TypeVar("P", bound=SamplerSection)


SHARED: Final = "products"
"""Key of a recipe under which kinds have their sections side by side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlace:
    """Where in a recipe the sections of a kind stand."""

    key: str = SHARED
    """`products`, where each has a `kind`; or a key of the kind's own."""
    many: bool = True
    """Whether it holds several, by name; else one or none."""
    after: str = SHARED
    """Key that a key of its own follows in documents."""
    text: str = ""
    """What a key of its own holds, for the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRequest:
    """Scenes that a product is made from."""

    archive: str
    """Name of the archive in the recipe."""
    period: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRequest(Generic[S]):
    """What a recipe asks of a kind: one section of it."""

    kind: ProductKind[S]
    key: str
    """Its key in the recipe: `s2`, `clc`; that of the section where it stands alone: `guess`."""
    section: S
    project: Project

    @property
    def path(self) -> str:
        """Where it stands in the recipe: `products.s2`, `labels.clc`, `guess`."""
        place = self.kind.place
        return f"{place.key}.{self.key}" if place.many else place.key

    @property
    def unit(self) -> str:
        """What its units are called: the path, without `products`."""
        return self.key if self.kind.place.key == SHARED else self.path

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
    """All that units are planned from; planning reads nothing else."""

    placement: Placement
    tiles: Mapping[str, tuple[Sample, ...]]
    """Tile → its samples, both in id order."""
    scenes: Mapping[str, Mapping[str, tuple[Scene, ...]]]
    """Path of a request → tile → scenes, for kinds that ask for some."""
    identities: Mapping[str, str]
    """Absolute path of an input file → identity."""
    store: str
    """Where the corpus is built."""
    layout: Layout
    """Its keys."""
    makers: Mapping[tuple[str, str], Unit] = field(default_factory=dict)
    """Tile and product → the unit that makes it, of the requests that come before."""
    products: Mapping[str, ProductInfo] = field(default_factory=dict)
    """Key → product, of the requests that come before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What the page about a build is made from."""

    folder: Path
    """The corpus, as built."""
    info: CorpusInfo
    table: pa.Table
    """Its index."""
    entries: tuple[JournalEntry, ...]
    """Units, without their files."""

    def of(self, request: ProductRequest[Any]) -> list[JournalEntry]:
        """The units of a request that are done, in id order."""
        return [one for one in self.entries if one.product == request.unit and one.state == "done"]


class ProductKind(ABC, Generic[S]):
    """A way to make products; values without state."""

    name: ClassVar[str]
    """What `kind` says in a recipe, or the name of the kind's own section."""
    section: ClassVar[type[ProductSection]]
    """Its settings."""
    place: ClassVar[SectionPlace] = SectionPlace()
    """Where these stand."""
    schemes: ClassVar[frozenset[str] | None] = None
    """Identity schemes of the samples that it is made for; any if None."""

    # Reading a recipe

    def misfits(self, key: str, section: S, read: Sections) -> Iterator[Problem]:
        """What of a recipe does not fit the section; every combination that the kind would ignore is refused.

        Args:
            key: of the section.
            section: the kind's own.
            read: key of the recipe → section, of those that could be read.
        """
        samples = read.get("samples")
        if samples is not None and self.schemes is not None and samples.scheme not in self.schemes:
            where = f"{self.place.key}.{key}" if self.place.many else self.place.key
            drawn = " or ".join(sorted(self.schemes))
            yield Problem(
                where=where, what=f"{self.name} is not made of samples of scheme {samples.scheme}; expected {drawn}"
            )

    def completed(self, section: S, recipe: Recipe) -> S:
        """The section with those defaults spelled out that follow from other sections."""
        return section

    def files(self, section: S) -> Iterable[str]:
        """Input files that the section names, as it names them."""
        return ()

    # What it publishes

    @abstractmethod
    def describe(self, request: ProductRequest[S], placement: Placement | None = None) -> tuple[ProductInfo, ...]:
        """The products that it publishes.

        Args:
            request: what the recipe asks.
            placement: where it is known already; what only then can be told is left open without it.

        Returns:
            In published order. Timesteps of an acquired axis are left empty: they show once units have run.
        """

    def estimated(self, request: ProductRequest[S]) -> tuple[ProductInfo, ...]:
        """Products that are counted before a build; more than those published where some are made elsewhere."""
        return self.describe(request)

    def class_mappings(
        self, request: ProductRequest[S], placement: Placement
    ) -> Mapping[str, list[dict[str, str | int]]]:
        """Product → every value of its source with code and role, where it maps values to codes."""
        return {}

    def needs(self, section: S) -> Iterable[str]:
        """Keys of products that it is made from: other sections of the recipe have to make them."""
        return ()

    # The work

    def check(self, request: ProductRequest[S], context: BuildContext) -> None:
        """Refuse inputs that cannot be used, before anything is made.

        Raises:
            InvalidInputError: says which, and where.
        """

    def scenes(self, request: ProductRequest[S]) -> SceneRequest | None:
        """Scenes of each tile that it is made from; None where it needs none, or takes those of the granules."""
        return None

    @abstractmethod
    def units(self, request: ProductRequest[S], inputs: PlanInputs) -> list[Unit]:
        """The units that make its products; pure."""

    def notes(self, request: ProductRequest[S], results: Results) -> list[str]:
        """Lines on what its units have survived.

        Raises:
            InvalidInputError: what they have made is of no use at all.
        """
        return []

    # Publication

    def shares(self, request: ProductRequest[S], tile: str, store: Store) -> NDArray[Any] | None:
        """(sample, class) area shares of a tile in millionths for the index; None where it has none."""
        return None

    def tables(self, request: ProductRequest[S], placement: Placement, store: Store) -> list[tuple[str, bytes]]:
        """Key and bytes of files that belong to no tile."""
        return []

    def report(self, request: ProductRequest[S], facts: ReportFacts) -> list[str]:
        """Parts of the page about the build, as HTML."""
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSamples:
    """What a recipe itself says of its samples; None where only placing can tell."""

    count: int | None = None
    tiles: int | None = None
    zones: int | None = None
    side: float
    """Metres of a sample's side."""


class Sampler(ABC, Generic[P]):
    """A way to place samples; values without state."""

    section: ClassVar[type[SamplerSection]]
    """Its settings; `draw` tells them from those of others."""
    policy: ClassVar[str] = "all"
    """Which scenes are taken where a recipe does not say."""

    def misfits(self, section: P, read: Sections) -> Iterator[Problem]:
        """What of a recipe does not fit the section."""
        yield from ()

    def files(self, section: P) -> Iterable[str]:
        """Input files that the section names, as it names them."""
        return ()

    @abstractmethod
    def place(self, project: Project, section: P, context: BuildContext, archives: Archives) -> Placement:
        """Choose the samples; the same recipe and inputs give the same samples.

        Raises:
            InvalidInputError: the region or other inputs cannot be used, or what is asked cannot be met.
            BuildError: units that it needs have failed.
        """

    @abstractmethod
    def stated(self, project: Project, section: P) -> StatedSamples:
        """What the recipe itself says of the samples."""

    def granules(self, project: Project, section: P) -> list[GranuleId] | None:
        """The granules that scenes are searched for; None where those of the region are."""
        return None

    def report(self, draw: Mapping[str, Any], info: CorpusInfo) -> list[str]:
        """Parts of the page about the build, as HTML: what a draw achieved."""
        return []
