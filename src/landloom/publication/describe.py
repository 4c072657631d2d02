"""The description of a recipe's corpus."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.layout import STAC_NAMES
from landloom.errors import CorpusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from landloom.engine.kinds import ProductRequest
    from landloom.engine.placement import Placement
    from landloom.engine.project import Project
    from landloom.engine.results import Results


def corpus_info(
    project: Project, requests: Sequence[ProductRequest[Any]], placement: Placement, results: Results
) -> CorpusInfo:
    """The description of the corpus of a recipe, for its documents; series made elsewhere are not part of it.

    Args:
        project: the recipe in its folder.
        requests: its requests to product kinds.
        placement: placement of its samples.
        results: results of its units, with the dates of acquired axes and the sources of valid masks.
    """
    recipe = project.recipe
    products: list[ProductInfo] = []
    mappings: dict[str, list[dict[str, str | int]]] = {}
    for request in requests:
        described = request.kind.describe(request, placement)
        if any(item.acquired for item in described):
            axes, validity = results.timesteps(request.unit), results.validity(request.unit)
            steps = tuple(sorted({step for axis in axes.values() for step in axis}))
            if not steps:
                raise CorpusError(f"{request.key}: no sample has any acquisition with data: nothing to publish")
            described = tuple(replace(item, timesteps=steps, validity=validity) for item in described)
        elif validity := results.validity(request.unit):
            described = tuple(replace(item, validity=validity) for item in described)
        products += described
        mappings |= request.kind.class_mappings(request, placement)
    return CorpusInfo(
        name=recipe.name,
        version=recipe.version,
        scheme=recipe.scheme,
        publication=recipe.publication,
        products=tuple(products),
        recipe=recipe.document(),
        layouts=recipe.layouts,
        names=replace(STAC_NAMES[recipe.scheme], **recipe.stac.names) if recipe.stac.names else None,
        class_mappings=mappings,
    )
