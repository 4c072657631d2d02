"""The description of a corpus: plain values from which every document is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version as installed_version
from typing import TYPE_CHECKING, Any, Final

from landloom.corpus.layout import Layout
from landloom.errors import InvalidValueError, NotFoundError
from landloom.model.rendering.known import REFLECTANCE, SCL
from landloom.model.rendering.palettes import class_rendering, mapped_rendering
from landloom.model.rendering.values import Continuous
from landloom.model.time import Period

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.corpus.layout import StacNames
    from landloom.model.crosswalk import Crosswalk
    from landloom.model.product import Product
    from landloom.model.recipe import Provider, Publication, Terms
    from landloom.model.rendering.values import Rendering
    from landloom.model.taxonomy import Taxonomy
    from landloom.model.time import Timestep


CLASS_BANDS: Final = ("class", "classes")
"""Names of bands with codes of classes."""


def software() -> str:
    """Name and version of this program, as written into documents.

    Example:
        >>> software().split()[0]
        'landloom'
    """
    return f"landloom {installed_version('landloom')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductInfo:
    """One product of a corpus: its row, terms and timesteps."""

    product: Product
    """Row of the product table."""
    terms: Terms
    """Licence, attribution, providers and source link; they differ between products."""
    timesteps: tuple[Timestep, ...] = ()
    """In time order; for an acquired axis those of all samples together. Empty for a product without time."""
    acquired: bool = False
    """Whether each granule has its own dates, instead of one time axis for all samples."""
    taxonomy: Taxonomy | None = None
    """Taxonomy of labels."""
    stated_period: Period | None = None
    """Period of a product without timesteps; that of the corpus if absent."""
    label_version: str = "1"
    """Version in the file names of raster labels."""
    validity: tuple[str, ...] = ()
    """Source of the valid mask: `SCL`, the product's own masks (`MSK_CLOUDS`), `nodata only`; empty if not stated."""

    @property
    def key(self) -> str:
        """Key for `products=`: `s2`."""
        return self.product.key

    @property
    def period(self) -> Period | None:
        """From the start of the first timestep to the end of the last one."""
        if not self.timesteps:
            return self.stated_period
        return Period(self.timesteps[0].period.start, max(step.period.end for step in self.timesteps))

    @property
    def slots(self) -> int:
        """Bits of its availability bitmap: one per timestep, or one for a product without time."""
        return max(len(self.timesteps), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusInfo:
    """A corpus as described by its documents. It contains no clock time, host or path."""

    name: str
    """Prefix of every published id."""
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
    """Raster-label product → every value of its source with code and role, and the special codes such as background."""
    crosswalks: tuple[Crosswalk, ...] = ()
    """Class mappings that the corpus offers in addition to its taxonomies."""
    layouts: tuple[str, ...] = ("chips",)
    """`chips`, `cubes` or both."""
    names: StacNames | None = None
    """STAC patterns; by default those of the scheme."""
    software: str = field(default_factory=software)
    """Software that wrote it."""

    def __post_init__(self) -> None:
        keys = [item.key for item in self.products]
        if not keys or len(set(keys)) != len(keys):
            raise InvalidValueError(f"got products {keys}, expected at least one and each once")

    @property
    def layout(self) -> Layout:
        """Layout of its files."""
        return Layout(name=self.name, version=self.version, scheme=self.scheme, names=self.names)

    def product(self, key: str) -> ProductInfo:
        """Get a product by its key.

        Raises:
            NotFoundError: the corpus has no product with that key.
        """
        found = next((item for item in self.products if item.key == key), None)
        if found is None:
            raise NotFoundError.of("product", key, (item.key for item in self.products))
        return found

    @property
    def collections(self) -> dict[str, tuple[ProductInfo, ...]]:
        """Suffix of each STAC collection → its products, in published order."""
        groups: dict[str, tuple[ProductInfo, ...]] = {}
        for item in self.products:
            groups[item.product.collection] = (*groups.get(item.product.collection, ()), item)
        return groups

    def rendering(self, item: ProductInfo, band: str) -> Rendering:
        """How the numbers of a band are shown.

        As its product declares; else, for classes, by their taxonomy or class mapping, and for imagery as reflectance.

        Args:
            item: a product of the corpus.
            band: name of one of its bands.

        Raises:
            NotFoundError: no such band.

        Example:
            >>> from landloom.query.example import example_corpus
            >>> info = example_corpus().info
            >>> info.rendering(info.product("s2"), "B04").unit
            'reflectance'
        """
        found = next((one for one in item.product.bands if one.name == band), None)
        if found is None:
            raise NotFoundError.of("band", band, (one.name for one in item.product.bands))
        if found.rendering is not None:
            return found.rendering
        if band == "SCL":
            return SCL
        if item.product.kind == "imagery":
            return REFLECTANCE
        if band in CLASS_BANDS and item.key in self.class_mappings:
            return mapped_rendering(self.class_mappings[item.key])
        if band in CLASS_BANDS and item.taxonomy is not None:
            return class_rendering(item.taxonomy)
        return Continuous(unit=found.unit)

    @property
    def labels(self) -> tuple[ProductInfo, ...]:
        """The products of class fractions."""
        return tuple(item for item in self.products if item.product.kind == "labels" and item.taxonomy is not None)

    @property
    def label_columns(self) -> dict[str, tuple[str, ...]]:
        """Label product → names of its columns in the index, in the order of its taxonomy's codes.

        The first product of a taxonomy uses the taxonomy's names (`clc_311`); further ones are prefixed with their key.
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
        """The period covered by all its products together.

        Raises:
            InvalidValueError: no product has a period.
        """
        periods = [item.period for item in self.products if item.period is not None]
        if not periods:
            raise InvalidValueError("no product of the corpus has timesteps or a stated period")
        return Period(min(item.start for item in periods), max(item.end for item in periods))

    def period_of(self, products: tuple[ProductInfo, ...]) -> Period:
        """The period covered by some of its products together; that of the whole corpus if none of them has one."""
        periods = [item.period for item in products if item.period is not None]
        if not periods:
            return self.period
        return Period(min(item.start for item in periods), max(item.end for item in periods))

    def providers(self, products: tuple[ProductInfo, ...] | None = None) -> tuple[Provider, ...]:
        """Providers of some products (by default all), each once, in order."""
        found: list[Provider] = []
        for item in self.products if products is None else products:
            found += [provider for provider in item.terms.providers if provider not in found]
        return tuple(found)
