"""What a recipe's corpus will say of itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.layout import STAC_NAMES
from landloom.engine.sources.prepared import labels_period
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Period
from landloom.products.parcels.task import VERSION, layer_products

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.engine.project import Project
    from landloom.engine.sources.prepared import Prepared
    from landloom.labels.classes import ClassMapping
    from landloom.model.time import Timestep


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a recipe alone cannot say of its corpus: it shows when archive and parcels have been read."""

    axes: Mapping[str, tuple[Timestep, ...]] = field(default_factory=dict)
    """Series of the recipe → the dates that any sample has."""
    prepared: Prepared | None = None
    """The parcels."""
    validity: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Series of the recipe → everything that told usable pixels."""


def corpus_info(project: Project, found: Found | None = None) -> CorpusInfo:
    """The corpus that a recipe makes, as its documents describe it; series made elsewhere are no part of it.

    Args:
        project: the recipe in its folder.
        found: what archive and parcels have shown; without it acquired axes are empty and class mappings absent.
    """
    recipe, found = project.recipe, found or Found()
    mapping = None if found.prepared is None else found.prepared.mapping
    products = [*_imagery(project, found), *_labels(project), *_guesses(project), *_layers(project, mapping)]
    return CorpusInfo(
        name=recipe.name,
        version=recipe.version,
        scheme=recipe.scheme,
        publication=recipe.publication,
        products=tuple(products),
        recipe=recipe.document(),
        layouts=recipe.layouts,
        names=replace(STAC_NAMES[recipe.scheme], **recipe.stac.names) if recipe.stac.names else None,
        class_mappings={} if found.prepared is None or mapping is None else {"classes": found.prepared.rows()},
    )


def _imagery(project: Project, found: Found) -> list[ProductInfo]:
    axes = {
        product.key: found.axes.get(key, ()) for key in project.series() for product in project.series_products(key)
    }
    return [
        ProductInfo(
            product=product,
            terms=project.recipe.products[project.source(product.key)].terms,
            timesteps=axes.get(product.key) or project.timesteps(product.key),
            acquired=product.key in axes,
            validity=found.validity.get(project.source(product.key), ()),
        )
        for product in project.imagery()
    ]


def _labels(project: Project) -> list[ProductInfo]:
    return [
        ProductInfo(
            product=project.label_product(name),
            terms=section.terms,
            taxonomy=taxonomy(section.taxonomy),
            stated_period=project.recipe.period.value,
        )
        for name, section in project.recipe.labels.items()
    ]


def _guesses(project: Project) -> list[ProductInfo]:
    section = project.recipe.guess
    if section is None:
        return []
    return [
        ProductInfo(
            product=product,
            terms=section.terms,
            stated_period=project.recipe.period.value,
            taxonomy=taxonomy("landcovernet") if product.key == "guess" else None,
        )
        for product in project.guess_products()
    ]


def _layers(project: Project, mapping: ClassMapping | None) -> list[ProductInfo]:
    section = project.recipe.parcels
    if section is None:
        return []
    return [
        ProductInfo(
            product=product,
            terms=section.terms,
            stated_period=Period.parse(*labels_period(section, project)),
            label_version=VERSION,
        )
        for product in layer_products(section, mapping)
    ]
