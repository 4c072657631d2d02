"""Products: the series of a corpus, and the four names under which each is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from landloom.errors import NotFoundError
from landloom.model.rendering.known import CLOUD, COUNT, DAYS, IDENTIFIERS, PERCENT, UNCERTAINTY
from landloom.model.sensor import REFLECTANCE_SCALE, SENTINEL2, Band

RAPIDAI4EO_BANDS: Final = ("B02", "B03", "B04", "B08", "B05", "B06", "B07", "B8A", "B11", "B12", "B01", "B09")
"""Band order of the published monthly composites (RapidAI4EO documentation, appendix 1)."""

LANDCOVERNET_BANDS: Final = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
"""Bands of LandCoverNet's series (Alemohammad and Booth 2020, section 2)."""

Kind = Literal["imagery", "quality", "labels", "raster-labels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One series in the corpus.

    Example:
        >>> s2 = product("s2")
        >>> s2.folder, s2.collection, s2.asset_key("2018-01")
        ('S2-SR', 'source_s2', 's2_2018-01')
    """

    key: str
    """Its name wherever a `products=` argument is accepted: `s2`."""
    folder: str | None
    """Folder of its chips: `S2-SR`; None if it has none (fractions)."""
    collection: str
    """Suffix of its STAC collection: `source_s2`."""
    prefix: str
    """Prefix of its asset keys: `s2` in `s2_2018-01`."""
    title: str
    """For people."""
    kind: Kind
    """What its pixels or features represent."""
    bands: tuple[Band, ...] = ()
    """In file order; empty for fractions."""
    dtype: str = "uint16"
    """numpy name of the stored type."""
    nodata: float | None = 0
    """Stored value of pixels without data."""
    resolution: float | None = None
    """Pixel size in metres."""
    suffix: str = "tif"
    """File name suffix of a sample's label files: `csv` for a table."""
    cadence: str | None = None
    """`month`, `5 days`, `acquired`; None for a product without time."""

    @property
    def role(self) -> str:
        """STAC asset role."""
        return {"imagery": "data", "quality": "metadata"}.get(self.kind, "labels")

    @property
    def scale(self) -> float | None:
        """Reflectance of the stored number 1; None if numbers are what they say."""
        return 1 / REFLECTANCE_SCALE if self.kind == "imagery" and self.dtype == "uint16" else None

    @property
    def unit(self) -> str | None:
        """Of the scaled numbers: 1 for reflectance, or that of all its bands."""
        units = {band.unit for band in self.bands}
        return "1" if self.kind == "imagery" else units.pop() if len(units) == 1 else None

    def asset_key(self, timestep: str | None) -> str:
        """Key of the asset of a timestep; the prefix alone for a product without time."""
        return self.prefix if timestep is None else f"{self.prefix}_{timestep}"


def _fused(name: str) -> Band:
    return Band(name=name, description=f"{name} surface reflectance", resolution=3, common_name=name)


PRODUCTS: Final[dict[str, Product]] = {
    item.key: item
    for item in (
        Product(
            key="s2",
            folder="S2-SR",
            collection="source_s2",
            prefix="s2",
            kind="imagery",
            title="Sentinel-2 monthly median composites",
            resolution=10,
            cadence="month",
            bands=tuple(SENTINEL2[name] for name in RAPIDAI4EO_BANDS),
        ),
        Product(
            key="pfsr",
            folder="PF-SR",
            collection="source_pf",
            prefix="sr",
            kind="imagery",
            title="Fused five-day surface reflectance",
            resolution=3,
            cadence="5 days",
            bands=tuple(_fused(name) for name in ("blue", "green", "red", "nir")),
        ),
        Product(
            key="pfqa",
            folder="PF-QA",
            collection="source_pf",
            prefix="qa",
            kind="quality",
            title="Quality layers of the fused series",
            resolution=3,
            cadence="5 days",
            dtype="uint8",
            bands=tuple(
                Band(name=name, description=text, resolution=3, rendering=shown)
                for name, text, shown in (
                    ("synthetic", "Percentage of synthetic data used to generate the pixel", PERCENT),
                    ("days", "Days to the closest scene with an actual observation", DAYS),
                    ("cloud", "Cloud and cloud shadow mask", CLOUD),
                    ("traceability", "Pixel traceability mask", IDENTIFIERS),
                    ("references", "Number of reference scenes used during calibration", COUNT),
                    ("uncertainty_blue", "Uncertainty estimate of the blue band", UNCERTAINTY),
                    ("uncertainty_green", "Uncertainty estimate of the green band", UNCERTAINTY),
                    ("uncertainty_red", "Uncertainty estimate of the red band", UNCERTAINTY),
                    ("uncertainty_nir", "Uncertainty estimate of the NIR band", UNCERTAINTY),
                )
            ),
        ),
        Product(
            key="labels",
            folder=None,
            collection="labels",
            prefix="labels",
            kind="labels",
            title="Class fractions",
            nodata=None,
        ),
    )
}
"""Key → product of the published corpora; product kinds add rows of their own."""


def product(key: str) -> Product:
    """Get a product by its key.

    Raises:
        NotFoundError: no such product.
    """
    if key not in PRODUCTS:
        raise NotFoundError.of("product", key, PRODUCTS)
    return PRODUCTS[key]
