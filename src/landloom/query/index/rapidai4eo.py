"""Description of the published RapidAI4EO corpus beyond its resource files: address, products, timesteps, terms.

Source: RapidAI4EO Corpus documentation 1.0 (Planet Labs, 2022), sections 3 and 5, and its STAC collections.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from landloom.model.time import Cadence, Period

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.corpus.info import CorpusInfo
    from landloom.model.time import Timestep

NAME: Final = "rapidai4eo"
VERSION: Final = "1.0"
BASE_URL: Final = "https://radiantearth.blob.core.windows.net/mlhub/rapidai4eo/"
"""Address of the published corpus."""
PERIODS: Final = {
    "pfsr": ("5 days", "2018-01-01", "2020-01-01"),
    "pfqa": ("5 days", "2018-01-01", "2020-01-01"),
    "s2": ("month", "2018-01-01", "2019-01-01"),
    "labels": None,
}
"""Product → cadence, first day, first day after the last; None for a product without time."""
_FUSED: Final = {
    "licence": "CC-BY-NC-SA-3.0",
    "licence_url": "https://creativecommons.org/licenses/by-nc-sa/3.0/",
    "attribution": "Planet Fusion © Planet Labs PBC",
    "non_commercial": True,
}
TERMS: Final[Mapping[str, Mapping[str, Any]]] = {
    "pfsr": _FUSED,
    "pfqa": _FUSED,
    "s2": {
        "licence": "proprietary",
        "licence_url": "https://sentinel.esa.int/documents/247904/690755/Sentinel_Data_Legal_Notice",
        "attribution": "Contains modified Copernicus Sentinel data 2018",
        "non_commercial": False,
    },
    "labels": {
        "licence": "proprietary",
        "licence_url": "https://eur-lex.europa.eu/legal-content/EN/TXT/?uri=CELEX%3A32013R1159",
        "attribution": "© European Union, Copernicus Land Monitoring Service 2018, EEA",
        "non_commercial": False,
    },
}
"""Product → terms."""


@cache
def published_steps(product: str) -> tuple[Timestep, ...]:
    """Timesteps of a published product.

    Example:
        >>> steps = published_steps("pfsr")
        >>> len(steps), steps[0].name, published_steps("s2")[-1].name
        (146, '2018-01-03', '2018-12')
    """
    known = PERIODS[product]
    return () if known is None else Cadence.parse(known[0]).timesteps(Period.parse(*known[1:]))


def published_info(name: str = NAME, terms: Mapping[str, Mapping[str, Any]] | None = None) -> CorpusInfo:
    """The description of a corpus with these products.

    Args:
        name: name of the corpus.
        terms: product → its terms; by default the published ones.

    Example:
        >>> published_info().product("s2").product.folder
        'S2-SR'
    """
    from landloom.corpus.info import CorpusInfo, ProductInfo
    from landloom.model.product import product
    from landloom.model.recipe import Publication, Terms
    from landloom.model.taxonomy import taxonomy

    stated = TERMS if terms is None else {**TERMS, **terms}
    return CorpusInfo(
        name=name,
        version=VERSION,
        publication=Publication(title=f"{name} {VERSION}", description=f"{name}, read from its resource files"),
        products=tuple(
            ProductInfo(
                product=product(key),
                terms=Terms.model_validate(stated[key]),
                timesteps=published_steps(key),
                taxonomy=taxonomy("clc") if key == "labels" else None,
                stated_period=None if PERIODS[key] else Period.year(2018),
            )
            for key in PERIODS
        ),
    )
