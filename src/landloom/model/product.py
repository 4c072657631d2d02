"""Products: the series of a corpus, and the four names under which each is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from landloom.errors import NotFoundError
from landloom.model.bands import RAPIDAI4EO_BANDS, SENTINEL2, Band

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
    """What `products=` takes everywhere: `s2`."""
    folder: str | None
    """Folder of its chips: `S2-SR`; None where it has none (fractions)."""
    collection: str
    """Suffix of its STAC collection: `source_s2`."""
    prefix: str
    """Start of its asset keys: `s2` in `s2_2018-01`."""
    title: str
    """For people."""
    kind: Kind
    """What the pixels, or features, are."""
    bands: tuple[Band, ...] = ()
    """In file order; empty for fractions."""
    dtype: str = "uint16"
    """numpy name of the stored type."""
    nodata: float | None = 0
    """Stored number where there is nothing."""
    resolution: float | None = None
    """Pixel size in metres."""
    suffix: str = "tif"
    """Of its files, where it is a label of a sample: `csv` for a table."""
    cadence: str | None = None
    """`month`, `5 days`, `acquired`; None for a product without time."""

    @property
    def role(self) -> str:
        """STAC asset role."""
        return {"imagery": "data", "quality": "metadata"}.get(self.kind, "labels")

    def asset_key(self, timestep: str | None) -> str:
        """Key of the asset of a timestep; the prefix alone for a product without time."""
        return self.prefix if timestep is None else f"{self.prefix}_{timestep}"


def _fused(name: str) -> Band:
    return Band(name=name, description=f"{name} surface reflectance", resolution=3, common_name=name)


PRODUCTS: Final[dict[str, Product]] = {
    item.key: item
    for item in (
        Product(
            key="s2", folder="S2-SR", collection="source_s2", prefix="s2", kind="imagery",
            title="Sentinel-2 monthly median composites", resolution=10, cadence="month",
            bands=tuple(SENTINEL2[name] for name in RAPIDAI4EO_BANDS),
        ),
        Product(
            key="pfsr", folder="PF-SR", collection="source_pf", prefix="sr", kind="imagery",
            title="Fused five-day surface reflectance", resolution=3, cadence="5 days",
            bands=tuple(_fused(name) for name in ("blue", "green", "red", "nir")),
        ),
        Product(
            key="pfqa", folder="PF-QA", collection="source_pf", prefix="qa", kind="quality",
            title="Quality layers of the fused series", resolution=3, cadence="5 days", dtype="uint8",
            bands=tuple(
                Band(name=name, description=text, resolution=3)
                for name, text in (
                    ("synthetic", "Percentage of synthetic data used to generate the pixel"),
                    ("days", "Days to the closest scene with an actual observation"),
                    ("cloud", "Cloud and cloud shadow mask"),
                    ("traceability", "Pixel traceability mask"),
                    ("references", "Number of reference scenes used during calibration"),
                    ("uncertainty_blue", "Uncertainty estimate of the blue band"),
                    ("uncertainty_green", "Uncertainty estimate of the green band"),
                    ("uncertainty_red", "Uncertainty estimate of the red band"),
                    ("uncertainty_nir", "Uncertainty estimate of the NIR band"),
                )
            ),
        ),
        Product(
            key="count", folder="S2-COUNT", collection="source_s2", prefix="count", kind="quality",
            title="Valid observations behind each composite", resolution=10, cadence="month", dtype="uint8",
            nodata=None, bands=(Band(name="count", description="Number of valid observations", resolution=10),),
        ),
        *(
            Product(
                key=f"s2_{size}m", folder=f"S2-{size}M", collection="source_s2_native", prefix=f"s2_{size}m",
                kind="imagery", title=f"Sentinel-2 acquisitions, bands of {size} m", resolution=size,
                cadence="acquired",
                bands=tuple(band for band in SENTINEL2.values() if band.resolution == size and band.name != "B10"),
            )
            for size in (10, 20, 60)
        ),
        Product(
            key="s2_valid", folder="S2-VALID", collection="source_s2_native", prefix="valid", kind="quality",
            title="Usable pixels of each acquisition", resolution=10, cadence="acquired", dtype="uint8", nodata=None,
            bands=(Band(name="valid", description="1 = usable: clear, and data in every band", resolution=10),),
        ),
        Product(
            key="s2_scenes", folder="S2-L2A", collection="source_sentinel_2", prefix="s2", kind="imagery",
            title="Sentinel-2 scenes", resolution=10, cadence="acquired",
            bands=tuple(band for band in SENTINEL2.values() if band.resolution < 60),
        ),
        Product(
            key="scl", folder="SCL", collection="source_sentinel_2", prefix="scl", kind="quality",
            title="Scene classification", resolution=10, cadence="acquired", dtype="uint8",
            bands=(Band(name="SCL", description="Scene classes of Sen2Cor", resolution=20),),
        ),
        Product(
            key="s2_filled", folder="S2-FILLED", collection="series_sentinel_2", prefix="filled", kind="imagery",
            title="Sentinel-2 series, masked and filled", resolution=10, cadence="acquired",
            bands=tuple(band for band in SENTINEL2.values() if band.resolution < 60),
        ),
        Product(
            key="s2_observed", folder="S2-OBSERVED", collection="series_sentinel_2", prefix="observed", kind="quality",
            title="Observed pixels of the series", resolution=10, cadence="acquired", dtype="uint8", nodata=None,
            bands=(Band(name="observed", description="1 = observed, 0 = filled", resolution=10),),
        ),
        Product(
            key="guess", folder=None, collection="labels", prefix="labels", kind="raster-labels", resolution=10,
            title="Guess labels", dtype="uint8",
            bands=(
                Band(name="class", description="LandCoverNet class, 0 where nothing was seen", resolution=10),
                Band(name="confidence", description="Probability of the class in percent", resolution=10),
            ),
        ),
        Product(
            key="guess_probabilities", folder=None, collection="labels", prefix="probabilities", kind="raster-labels",
            title="Probabilities of the guess", resolution=10, dtype="uint16",
            bands=tuple(
                Band(name=f"class_{code}", description=f"Probability of class {code}, 10,000 = 1", resolution=10)
                for code in range(1, 8)
            ),
        ),
        Product(
            key="source_dates", folder=None, collection="labels", prefix="source_dates", kind="raster-labels",
            title="Dates and ids of the scenes", nodata=None, suffix="csv",
        ),
        *(
            Product(
                key=name, folder=None, collection="labels_parcels", prefix=name, kind="raster-labels", title=title,
                resolution=10, dtype=dtype, nodata=None,
                bands=(Band(name=name, description=text, resolution=10),),
            )
            for name, title, dtype, text in (
                ("classes", "Parcel classes", "uint8", "Code of the class of the parcel that covers most"),
                ("ids", "Parcel ids", "int64", "Id of that parcel, 0 where none is"),
                ("ratios", "Parcel coverage", "float32", "Share of the pixel that it covers, 0 to 1"),
                ("distances", "Distances to the parcel edge", "float32",
                 "Metres from the centre of the pixel to the outline of the parcel, NaN where none is"),
                ("masks", "Doubly claimed pixels", "uint8",
                 "2: parcels of different class cover all of the pixel; 1: parcels of different class touch it"),
                ("ambiguity", "Ambiguity bits", "uint8",
                 "1 partial, 2 full, 4 same class, 8 edge of the region"),
            )
        ),
        Product(
            key="labels", folder=None, collection="labels", prefix="labels", kind="labels",
            title="Class fractions", nodata=None,
        ),
    )
}  # fmt: skip
"""Key → product; recipes add rows."""


def product(key: str) -> Product:
    """A product by its key.

    Raises:
        NotFoundError: no such product.
    """
    if key not in PRODUCTS:
        raise NotFoundError.of("product", key, PRODUCTS)
    return PRODUCTS[key]
