"""A recipe in its folder: where its inputs lie, and what it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from landloom.model.bands import SENTINEL2
from landloom.model.product import Product, product
from landloom.model.recipe import CompositeProduct, GranuleChips, GranuleSeries, Recipe, SeriesProduct
from landloom.model.time import Cadence

if TYPE_CHECKING:
    from landloom.model.time import Period, Timestep

RECIPE_FILE: Final = "landloom.yaml"
"""Name of a recipe, unless said otherwise."""
REVISIT: Final = 5
"""Days between passes of two satellites, where an estimate needs a number."""
GUESS: Final = "guess"
"""Start of the ids of units that make guess labels."""
CORPUS_FOLDER: Final = "corpus"
"""Where a corpus is built, beside its recipe, unless said otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A recipe, and the folder that its relative paths are meant from."""

    recipe: Recipe
    folder: Path

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read a recipe file, or the `landloom.yaml` of a folder.

        Raises:
            RecipeError: with every problem in it.
        """
        file = Path(path)
        if file.is_dir():
            file /= RECIPE_FILE
        return cls(recipe=Recipe.read(file), folder=file.resolve().parent)

    def path(self, name: str) -> str:
        """A path or URL out of the recipe, made absolute.

        Example:
            >>> from pathlib import PurePosixPath
            >>> Project(recipe=None, folder=Path("/maps")).path("archive/catalog.json")
            '/maps/archive/catalog.json'
            >>> Project(recipe=None, folder=Path("/maps")).path("https://example.org/x")
            'https://example.org/x'
        """
        return name if "://" in name or Path(name).is_absolute() else str(self.folder / name)

    def lasting(self, href: str) -> str:
        """An address of the archive's as it stays when the project moves together with its inputs.

        Returns:
            The path from the recipe's folder, if that is how the recipe names its archive; else the address as it is.
        """
        given = self.recipe.archive.href or ""
        inside = f"{self.folder}/"
        if inside in href:  # as in /vsizip//maps/project/products/x.zip/B02.jp2
            return href.replace(inside, "")
        if not given or "://" in href or Path(given).is_absolute() or not Path(href).is_absolute():
            return href
        return Path(relpath(href, self.folder)).as_posix()

    def missing_inputs(self) -> list[str]:
        """Files that the recipe names and that are not there yet."""
        recipe = self.recipe
        names = [section.file for section in recipe.labels.values()]
        names += [recipe.archive.href] if recipe.archive.href else []
        names += [recipe.region.file] if recipe.region.file else []
        strata = getattr(recipe.samples, "strata", None)
        names += [strata.file] if strata is not None else []
        names += [recipe.parcels.file] if recipe.parcels is not None else []
        names += [recipe.guess.file] if recipe.guess is not None else []
        names += [recipe.samples.table] if isinstance(recipe.samples, GranuleChips) and recipe.samples.table else []
        continents = getattr(recipe.samples, "continents", None)
        names += [continents.file] if continents is not None else []
        names += [recipe.scenes.file] if recipe.scenes is not None and recipe.scenes.file else []
        return sorted({name for name in names if "://" not in name and not Path(self.path(name)).exists()})

    def period(self, key: str) -> Period:
        """The period of a product."""
        own = self.recipe.products[key].period
        return (own or self.recipe.period).value

    def seasons(self) -> dict[int, Period]:
        """Label year → the time that its samples show; empty where samples show all of the period."""
        seasons = getattr(self.recipe.samples, "seasons", {})
        return {year: seasons[year].value for year in sorted(seasons)}

    def timesteps(self, key: str) -> tuple[Timestep, ...]:
        """The timesteps of a product, or of the product that a count belongs to; none where they are acquired."""
        source = self.source(key)
        section = self.recipe.products[source]
        return (
            ()
            if isinstance(section, SeriesProduct | GranuleSeries)
            else Cadence.parse(section.cadence).timesteps(self.period(source))
        )

    def expected_dates(self, key: str) -> int:
        """About how many acquisitions a series will have: two satellites, one pass in five days."""
        period = self.period(self.source(key))
        return max((period.end - period.start).days // REVISIT, 1)

    def source(self, key: str) -> str:
        """Key of the recipe's section that makes a product: its own, or the composite or series that it belongs to."""
        if key in self.recipe.products:
            return key
        for name in self.series():
            if key in {product.key for product in self.series_products(name)}:
                return name
        return next(name for name in self.composites() if self.count_product(name) == key)

    def composites(self) -> list[str]:
        """Keys of the composites that are made here, in recipe order."""
        return [key for key, section in self.recipe.products.items() if isinstance(section, CompositeProduct)]

    def series(self) -> list[str]:
        """Keys of the series of native bands that are made here, in recipe order."""
        return [key for key, one in self.recipe.products.items() if isinstance(one, SeriesProduct | GranuleSeries)]

    def granular(self) -> str | None:
        """Key of the series of granules, where this recipe is one of granules."""
        return next((key for key, one in self.recipe.products.items() if isinstance(one, GranuleSeries)), None)

    def guess_products(self) -> list[Product]:
        """The label products of a guess; none where the recipe has none."""
        if self.recipe.guess is None:
            return []
        return [product(key) for key in ("guess", "guess_probabilities", "source_dates")]

    def series_section(self, key: str) -> SeriesProduct:
        """The recipe's section of a series."""
        section = self.recipe.products[key]
        if not isinstance(section, SeriesProduct):
            raise TypeError(f"got {type(section).__name__}, wanted a series")
        return section

    def series_products(self, key: str) -> list[Product]:
        """The products of a series: one a native resolution, finest first, then the mask if it is published."""
        if key == self.granular():
            return self._granule_products(key)
        section = self.series_section(key)
        made = []
        for resolution in sorted({SENTINEL2[name].resolution for name in section.bands}):
            bands = tuple(SENTINEL2[name] for name in section.bands if SENTINEL2[name].resolution == resolution)
            made.append(replace(product(f"s2_{resolution:.0f}m"), bands=bands))
        if section.valid:
            made.append(replace(product("s2_valid"), resolution=made[0].resolution))
        return made

    def _granule_products(self, key: str) -> list[Product]:
        section = self.recipe.products[key]
        if not isinstance(section, GranuleSeries):
            raise TypeError(f"got {type(section).__name__}, wanted a series of granules")
        bands = tuple(SENTINEL2[name] for name in section.bands)
        made = [replace(product("s2_scenes"), bands=bands), product("scl")]
        if section.filled:
            made += [replace(product("s2_filled"), bands=bands), product("s2_observed")]
        return made

    def count_product(self, key: str) -> str | None:
        """Key of the count product of a composite; None where none is published."""
        section = self.recipe.products[key]
        return "count" if isinstance(section, CompositeProduct) and section.count else None

    def product(self, key: str) -> Product:
        """A product as this recipe makes it: bands, resolution and cadence are the recipe's."""
        for name in self.series():
            for made in self.series_products(name):
                if key in {name, made.key}:
                    return made
        row = product(key)
        if key in self.recipe.products:
            section = self.recipe.products[key]
            if not isinstance(section, CompositeProduct):
                return replace(row, cadence=getattr(section, "cadence", None))
            bands = tuple(SENTINEL2[name] for name in section.bands)
            return replace(row, bands=bands, resolution=section.resolution, cadence=section.cadence)
        source = self.recipe.products[self.source(key)]
        if isinstance(source, CompositeProduct):
            row = replace(row, resolution=source.resolution, cadence=source.cadence)
        return row

    def imagery(self) -> list[Product]:
        """Every product with chips that this recipe makes, counts after what they count."""
        keys: list[str] = []
        for key in self.composites():
            count = self.count_product(key)
            keys += [key] if count is None else [key, count]
        made = [self.product(key) for key in keys]
        return made + [product for key in self.series() for product in self.series_products(key)]

    def label_product(self, name: str) -> Product:
        """The product of a label section: the first one is the corpus's own, further ones carry their name."""
        row = product("labels")
        if name == next(iter(self.recipe.labels)):
            return row
        suffix = name.replace("-", "_")
        return replace(row, key=f"labels_{suffix}", collection=f"labels_{suffix}", prefix=f"labels_{suffix}")
