"""What a corpus says of itself: the plain values that every document is written from."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any

from landloom.corpus.layout import Layout
from landloom.errors import InvalidValueError, NotFoundError
from landloom.model.time import Period

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.corpus.layout import StacNames
    from landloom.model.crosswalk import Crosswalk
    from landloom.model.product import Product
    from landloom.model.recipe import Provider, Publication, Terms
    from landloom.model.taxonomy import Taxonomy
    from landloom.model.time import Timestep


def software() -> str:
    """Name and version of this program, as documents state it.

    Example:
        >>> software().split()[0]
        'landloom'
    """
    return f"landloom {installed_version('landloom')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInfo:
    """One product of a corpus: what it is, under which terms, and when."""

    product: Product
    """Row of the product table."""
    terms: Terms
    """Licence, attribution, providers and source link; they differ from product to product."""
    timesteps: tuple[Timestep, ...] = ()
    """In time order; those of all samples together where the axis is acquired. Empty for a product without time."""
    acquired: bool = False
    """Whether each granule has dates of its own, rather than all samples the same."""
    taxonomy: Taxonomy | None = None
    """What the labels speak."""
    stated_period: Period | None = None
    """The time that a product without timesteps speaks of; the corpus's own if absent."""
    label_version: str = "1"
    """Version in the file names of raster labels."""
    validity: tuple[str, ...] = ()
    """What told usable pixels: `SCL`, masks of the products' own (`MSK_CLOUDS`), `nodata only`; empty where unsaid."""

    @property
    def key(self) -> str:
        """What `products=` takes: `s2`."""
        return self.product.key

    @property
    def period(self) -> Period | None:
        """From the first timestep's start to the last one's end."""
        if not self.timesteps:
            return self.stated_period
        return Period(self.timesteps[0].period.start, max(step.period.end for step in self.timesteps))

    @property
    def slots(self) -> int:
        """Bits of its availability bitmap: its timesteps, or one where it has none."""
        return max(len(self.timesteps), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusInfo:
    """A corpus as its documents describe it. It holds no clock, host or path."""

    name: str
    """Starts every published id."""
    version: str
    """`1.0`."""
    scheme: str = "utm24"
    """Identity scheme of the samples."""
    publication: Publication
    """Title, description, authors, DOI, funding, contact."""
    products: tuple[ProductInfo, ...]
    """In published order; keys are unique."""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    """The whole recipe, as plain JSON values."""
    class_mappings: Mapping[str, Sequence[Mapping[str, str | int]]] = field(default_factory=dict)
    """Raster-label product → every value of its source with code and role, and the codes of background and the like."""
    crosswalks: tuple[Crosswalk, ...] = ()
    """Class mappings that the corpus offers beside its taxonomies."""
    layouts: tuple[str, ...] = ("chips",)
    """`chips`, `cubes` or both."""
    names: StacNames | None = None
    """STAC patterns; the scheme's if absent."""
    software: str = field(default_factory=software)
    """What wrote it."""

    def __post_init__(self) -> None:
        keys = [item.key for item in self.products]
        if not keys or len(set(keys)) != len(keys):
            raise InvalidValueError(f"got products {keys}, expected at least one and each once")

    @property
    def layout(self) -> Layout:
        """Where its files lie."""
        return Layout(name=self.name, version=self.version, scheme=self.scheme, names=self.names)

    def product(self, key: str) -> ProductInfo:
        """A product by its key.

        Raises:
            NotFoundError: the corpus has none of that key.
        """
        found = next((item for item in self.products if item.key == key), None)
        if found is None:
            raise NotFoundError.of("product", key, (item.key for item in self.products))
        return found

    @property
    def collections(self) -> dict[str, tuple[ProductInfo, ...]]:
        """Suffix of each STAC collection → the products that share it, in published order."""
        groups: dict[str, tuple[ProductInfo, ...]] = {}
        for item in self.products:
            groups[item.product.collection] = (*groups.get(item.product.collection, ()), item)
        return groups

    @property
    def labels(self) -> tuple[ProductInfo, ...]:
        """The products of class fractions."""
        return tuple(item for item in self.products if item.product.kind == "labels" and item.taxonomy is not None)

    @property
    def label_columns(self) -> dict[str, tuple[str, ...]]:
        """Label product → names of its columns in the index, in the order of its taxonomy's codes.

        The first product of a taxonomy has the taxonomy's own names (`clc_311`); a further one puts its key before.
        """
        columns: dict[str, tuple[str, ...]] = {}
        taken: set[str] = set()
        for item in self.labels:
            if item.taxonomy is None:
                continue
            own = item.taxonomy.columns()
            columns[item.key] = tuple(f"{item.key}_{name}" for name in own) if item.taxonomy.name in taken else own
            taken.add(item.taxonomy.name)
        return columns

    @property
    def period(self) -> Period:
        """The time that its products cover together.

        Raises:
            InvalidValueError: no product says when.
        """
        periods = [item.period for item in self.products if item.period is not None]
        if not periods:
            raise InvalidValueError("no product of the corpus has timesteps or a stated period")
        return Period(min(item.start for item in periods), max(item.end for item in periods))

    def period_of(self, products: tuple[ProductInfo, ...]) -> Period:
        """The time that some of its products cover together; the whole corpus's where none of them says."""
        periods = [item.period for item in products if item.period is not None]
        if not periods:
            return self.period
        return Period(min(item.start for item in periods), max(item.end for item in periods))

    def providers(self, products: tuple[ProductInfo, ...] | None = None) -> tuple[Provider, ...]:
        """Providers of some products (all unless told), each once, in order."""
        found: list[Provider] = []
        for item in self.products if products is None else products:
            found += [provider for provider in item.terms.providers if provider not in found]
        return tuple(found)
