"""What a recipe's corpus will say of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Period
from landloom.pipelines.parcel_layers import VERSION, layer_products, parcel_period

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.model.time import Timestep
    from landloom.pipelines.parcel_layers import Prepared
    from landloom.pipelines.project import Project


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a recipe alone cannot say of its corpus: it shows when archive and parcels have been read."""

    axes: Mapping[str, tuple[Timestep, ...]] = field(default_factory=dict)
    """Series of the recipe → the dates that any sample has."""
    prepared: Prepared | None = None
    """The parcels."""


def corpus_info(project: Project, found: Found | None = None) -> CorpusInfo:
    """The corpus that a recipe makes, as its documents describe it; series made elsewhere are no part of it.

    Args:
        project: the recipe in its folder.
        found: what archive and parcels have shown; without it acquired axes are empty and class mappings absent.
    """
    recipe, found = project.recipe, found or Found()
    axes = {
        product.key: found.axes.get(key, ()) for key in project.series() for product in project.series_products(key)
    }
    products = [
        ProductInfo(
            product=product,
            terms=recipe.products[project.source(product.key)].terms,
            timesteps=axes.get(product.key) or project.timesteps(product.key),
            acquired=product.key in axes,
        )
        for product in project.imagery()
    ]
    products += [
        ProductInfo(
            product=project.label_product(name),
            terms=section.terms,
            taxonomy=taxonomy(section.taxonomy),
            stated_period=recipe.period.value,
        )
        for name, section in recipe.labels.items()
    ]
    mapping = None if found.prepared is None else found.prepared.mapping
    if recipe.parcels is not None:
        products += [
            ProductInfo(
                product=product,
                terms=recipe.parcels.terms,
                stated_period=Period.parse(*parcel_period(recipe.parcels, project)),
                label_version=VERSION,
            )
            for product in layer_products(recipe.parcels, mapping)
        ]
    return CorpusInfo(
        name=recipe.name,
        version=recipe.version,
        scheme=recipe.scheme,
        publication=recipe.publication,
        products=tuple(products),
        recipe=recipe.document(),
        layouts=recipe.layouts,
        class_mappings={} if found.prepared is None or mapping is None else {"classes": found.prepared.rows()},
    )
