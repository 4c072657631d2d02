"""The published corpus: its timesteps, its address, and its helper's call and semantics.

Two rules of time are in use, and they differ. The published helper, reproduced here, stamps a five-day date at its own
midnight and a month at midnight of its last day, and keeps what lies strictly between start and end. Queries
(`landloom.query.corpus`) stamp as the STAC does, a month the 15th and every timestep at 10:30, and their periods are
half-open.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidIdentityError, InvalidValueError, NotFoundError
from landloom.query.arguments import instants_of, names_of
from landloom.query.transfer.address_lists import blocks, chip_template, directories_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BASE_URL: Final = "https://radiantearth.blob.core.windows.net/mlhub/rapidai4eo/"
"""Where the corpus was published."""
MONTHS: Final = tuple(f"2018-{month:02d}" for month in range(1, 13))
"""Timesteps of the monthly composites."""
FIVE_DAYS: Final = tuple((date(2018, 1, 3) + timedelta(days=5 * step)).isoformat() for step in range(146))
"""Timesteps of the fused series."""
PRODUCTS: Final = ["pfsr", "pfqa", "s2"]
"""Product keys, as the published helper lists them."""
_FOLDERS: Final = {"pfsr": ("PF-SR", FIVE_DAYS), "pfqa": ("PF-QA", FIVE_DAYS), "s2": ("S2-SR", MONTHS)}
PUBLISHED: Final[dict[str, Any]] = {
    "name": "rapidai4eo",
    "version": "1.0",
    "scheme": "utm24",
    "products": {
        "pfsr": {"timesteps": list(FIVE_DAYS)},
        "pfqa": {"timesteps": list(FIVE_DAYS)},
        "s2": {"timesteps": list(MONTHS)},
        "labels": {"timesteps": []},
    },
}
"""What the published resource files do not say."""


def helper_stamp(timestep: str) -> datetime:
    """The instant at which the published helper sees a timestep.

    Example:
        >>> helper_stamp("2018-02").isoformat(), helper_stamp("2018-01-03").isoformat()
        ('2018-02-28T00:00:00+00:00', '2018-01-03T00:00:00+00:00')
    """
    if len(timestep) == len("2018-02"):
        first = datetime.fromisoformat(f"{timestep}-01").replace(tzinfo=UTC)
        return (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return datetime.fromisoformat(timestep).replace(tzinfo=UTC)


def _timesteps(names: Sequence[str], temporal_filter: tuple[Any, Any] | None) -> list[str]:
    if temporal_filter is None:
        return list(names)
    start, end = instants_of(temporal_filter, "temporal_filter")
    if end < start:
        raise InvalidValueError(f"got a period that ends ({end}) before it begins ({start})")
    return [name for name in names if start < helper_stamp(name) < end]


def get_asset_hrefs(
    ids: str | Iterable[str],
    products: str | Iterable[str] | None = None,
    temporal_filter: tuple[Any, Any] | None = None,
    base_url: str = BASE_URL,
) -> list[str]:
    """URLs of chips of the published corpus: a drop-in for the helper of the published tutorial.

    Args:
        ids: sample ids; a list, an index of pandas, …
        products: a key or several of `PRODUCTS`; all unless told.
        temporal_filter: start and end (text, datetime, pandas timestamp). A timestep is kept if it lies strictly
            between them: one that equals either end is left out. Months are stamped their last day.
        base_url: where the corpus lies.

    Returns:
        URLs, sample by sample, product by product, in time order.

    Raises:
        NotFoundError: no such product.
        InvalidIdentityError: an id that is none.
        InvalidValueError: the period ends before it begins, or is none.

    Example:
        >>> hrefs = get_asset_hrefs(["30N_12E-191N_01_19"], products="s2")
        >>> len(hrefs), hrefs[0].removeprefix(BASE_URL)
        (12, 'imagery/30N/12E-191N/30N_12E-191N_01_19/S2-SR/2018-01.tif')
    """
    keys = names_of(PRODUCTS if products is None else products, "products") or ()
    templates: list[str] = []
    for key in keys:
        if key not in _FOLDERS:
            raise NotFoundError.of("product", key, PRODUCTS)
        folder, names = _FOLDERS[key]
        templates += [chip_template(folder, name) for name in _timesteps(names, temporal_filter)]
    samples = names_of(ids, "ids") or ()
    try:
        encoded = np.array(samples, dtype="S") if samples else np.empty(0, dtype="S18")
    except UnicodeEncodeError as error:
        wanted = "samples such as 33N_16E-243N_29_01"
        raise InvalidIdentityError.of(error.object, wanted=wanted) from error
    pieces = blocks(directories_of(encoded), encoded, templates, base_url.rstrip("/") + "/")
    return b"".join(pieces).decode().split("\n")[:-1]
