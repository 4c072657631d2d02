"""What a corpus says of itself, for servers: read where it says so, made up from its index where it does not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landloom.corpus.documents import parse_corpus_json
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.layout import CORPUS
from landloom.model.product import PRODUCTS, Product
from landloom.model.recipe import Publication, Terms
from landloom.model.taxonomy import TAXONOMIES, taxonomy
from landloom.model.time import Period, Timestep, parse_instant
from landloom.query.assets import product_entry, stamp_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.model.taxonomy import Taxonomy
    from landloom.query.corpus import Corpus


def local_folder(corpus: Corpus) -> Path | None:
    """Folder of a corpus on local disk; None where it is elsewhere."""
    return None if "://" in corpus.base else Path(corpus.base)


def describe(corpus: Corpus) -> CorpusInfo:
    """The corpus as its documents describe it: from `corpus.json` on local disk, else from its index.

    Args:
        corpus: an open corpus.

    Raises:
        InvalidDocumentError: its `corpus.json` is broken.

    Example:
        >>> from landloom.query.example import example_corpus
        >>> sorted(describe(example_corpus()).collections)
        ['labels', 'source_pf', 'source_s2']
    """
    folder = local_folder(corpus)
    if folder is not None and (folder / CORPUS).is_file():
        return parse_corpus_json((folder / CORPUS).read_bytes())
    meta = corpus.sidecar.meta
    products = tuple(_product(key, entry, meta) for key, entry in meta["products"].items())
    periods = [item.period for item in products if item.timesteps and item.period is not None]
    if periods:
        span = Period(min(item.start for item in periods), max(item.end for item in periods))
        products = tuple(item if item.timesteps else _within(item, span) for item in products)
    title = f"{corpus.name} {corpus.version}"
    return CorpusInfo(
        name=corpus.name,
        version=corpus.version,
        scheme=corpus.sidecar.scheme,
        publication=Publication(title=title, description=f"Samples of {corpus.name}."),
        products=products,
    )


def _within(item: ProductInfo, period: Period) -> ProductInfo:
    return ProductInfo(product=item.product, terms=item.terms, taxonomy=item.taxonomy, stated_period=period)


def _product(key: str, stated: Mapping[str, Any], meta: Mapping[str, Any]) -> ProductInfo:
    entry = product_entry(key, stated)
    product = PRODUCTS.get(key) or Product(
        key=key,
        folder=entry["folder"],
        collection=entry.get("collection", key),
        prefix=entry["prefix"],
        title=key,
        kind=entry["kind"],
    )
    terms = {"licence": "proprietary", "attribution": meta["name"], **(stated.get("terms") or {})}
    return ProductInfo(
        product=product,
        terms=Terms.model_validate(terms),
        timesteps=_timesteps(entry["timesteps"], product.cadence),
        taxonomy=_taxonomy(key, meta) if product.kind == "labels" else None,
        label_version=entry.get("label_version") or "1",
    )


def _taxonomy(key: str, meta: Mapping[str, Any]) -> Taxonomy | None:
    entry = meta["taxonomies"].get(key)
    return taxonomy(entry["name"]) if entry and entry["name"] in TAXONOMIES else None


def _timesteps(names: list[str], cadence: str | None) -> tuple[Timestep, ...]:
    """Timesteps by name: a month is that month, a date the middle of its days."""
    days = int(cadence.split()[0]) if cadence and cadence[0].isdigit() else 1
    steps = []
    for name in names:
        if len(name) == len("2018-01"):
            start = parse_instant(f"{name}-01")
            end = (start + timedelta(days=32)).replace(day=1)
        else:
            start = parse_instant(name[:10]) - timedelta(days=days // 2)
            end = start + timedelta(days=days)
        steps.append(Timestep(stamp_of(name), name, Period(start, end)))
    return tuple(steps)
