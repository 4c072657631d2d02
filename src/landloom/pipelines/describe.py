"""What a recipe's corpus will say of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.model.taxonomy import taxonomy

if TYPE_CHECKING:
    from landloom.pipelines.project import Project


def corpus_info(project: Project) -> CorpusInfo:
    """The corpus that a recipe makes, as its documents describe it; series made elsewhere are no part of it."""
    recipe = project.recipe
    products = [
        ProductInfo(
            product=product,
            terms=recipe.products[project.source(product.key)].terms,
            timesteps=project.timesteps(product.key),
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
    return CorpusInfo(
        name=recipe.name,
        version=recipe.version,
        scheme=recipe.scheme,
        publication=recipe.publication,
        products=tuple(products),
        recipe=recipe.document(),
        layouts=recipe.layouts,
    )
