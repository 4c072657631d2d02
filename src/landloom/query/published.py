"""The function and semantics of the helper published with RapidAI4EO.

Two different time rules are in use. The published helper, reproduced here, assigns a five-day date to 10:30 UTC of the
day and a month to 10:30 UTC of its last day, and keeps timesteps strictly between start and end. Queries
(`landloom.query.corpus`) use the stamps of the STAC, the 15th at 10:30 for a month, and half-open periods.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.corpus.layout import ANY_SAMPLE, Layout
from landloom.errors import InvalidIdentityError, InvalidValueError, NotFoundError
from landloom.model.product import product
from landloom.query.address_lists import blocks, directories_of
from landloom.query.arguments import instants_of, names_of
from landloom.query.index.rapidai4eo import BASE_URL, NAME, VERSION, published_steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from landloom.model.time import Timestep

PRODUCTS: Final = ["pfsr", "pfqa", "s2"]
"""Product keys, in the order of the published helper."""


def helper_stamp(step: Timestep, cadence: str | None) -> datetime:
    """The instant that the published helper assigns to a timestep.

    Args:
        step: timestep of a product.
        cadence: cadence of that product: `month`, or a number of days.

    Example:
        >>> [helper_stamp(published_steps(key)[0], product(key).cadence).isoformat() for key in ("s2", "pfsr")]
        ['2018-01-31T10:30:00+00:00', '2018-01-03T10:30:00+00:00']
    """
    if cadence == "month":
        return (step.period.end - timedelta(days=1)).replace(hour=10, minute=30)
    return step.stamp


def _templates(key: str, temporal_filter: tuple[Any, Any] | None) -> list[str]:
    """Paths of the chips of a product within a filter, with placeholders for the sample."""
    layout, row = Layout(name=NAME, version=VERSION), product(key)
    steps = published_steps(key)
    if temporal_filter is not None:
        start, end = instants_of(temporal_filter, "temporal_filter")
        if end < start:
            raise InvalidValueError(f"got a period that ends ({end}) before it begins ({start})")
        steps = tuple(step for step in steps if start < helper_stamp(step, row.cadence) < end)
    return [layout.chip(ANY_SAMPLE, row, step.name) for step in steps]


def get_asset_hrefs(
    ids: str | Iterable[str],
    products: str | Iterable[str] | None = None,
    temporal_filter: tuple[Any, Any] | None = None,
    base_url: str = BASE_URL,
) -> list[str]:
    """URLs of chips of the published corpus: a replacement for the helper of the published tutorial.

    Args:
        ids: sample ids; a list, an index of pandas, …
        products: a key or several of `PRODUCTS`; all by default.
        temporal_filter: start and end (text, datetime, pandas timestamp). A timestep is kept if it lies strictly
            between them: one that equals either end is left out. Five-day steps are stamped 10:30 UTC of their date,
            months 10:30 UTC of their last day.
        base_url: where the corpus lies.

    Returns:
        URLs, product by product, sample by sample, in time order.

    Raises:
        NotFoundError: no such product.
        InvalidIdentityError: a text that is not a sample id.
        InvalidValueError: the period ends before it begins, or is invalid.

    Example:
        >>> hrefs = get_asset_hrefs(["30N_12E-191N_01_19"], products="s2")
        >>> len(hrefs), hrefs[0].removeprefix(BASE_URL)
        (12, 'imagery/30N/12E-191N/30N_12E-191N_01_19/S2-SR/2018-01.tif')
    """
    keys = names_of(PRODUCTS if products is None else products, "products") or ()
    for key in keys:
        if key not in PRODUCTS:
            raise NotFoundError.of("product", key, PRODUCTS)
    templates = [_templates(key, temporal_filter) for key in keys]
    samples = names_of(ids, "ids") or ()
    try:
        encoded = np.array(samples, dtype="S") if samples else np.empty(0, dtype="S18")
    except UnicodeEncodeError as error:
        wanted = "samples such as 33N_16E-243N_29_01"
        raise InvalidIdentityError.of(error.object, expected=wanted) from error
    directories, base = directories_of(encoded), base_url.rstrip("/") + "/"
    pieces = (piece for own in templates for piece in blocks(directories, encoded, own, base))
    return b"".join(pieces).decode().split("\n")[:-1]
