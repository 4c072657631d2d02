"""Paths of every file of a corpus, and the ids of its STAC documents: a template over an identity scheme.

Keys are POSIX paths relative to the corpus. This module does no input or output.

| what          | key                                                                            |
|---------------|--------------------------------------------------------------------------------|
| chip          | `imagery/33N/16E-243N/33N_16E-243N_29_01/S2-SR/2018-01.tif`                    |
| cube          | `imagery/33N/16E-243N/S2-SR.zarr`                                              |
| label         | `labels/33N/16E-243N/labels_33N_16E-243N_29_01.geojson`                        |
| raster label  | `labels/37N/37TDK/37TDK_27/consensus-1.tif`                                    |
| lineage       | `lineage/33N/16E-243N/S2-SR.json`                                              |
| manifest      | `manifest/33N/16E-243N.parquet`; `manifest/corpus.parquet` for files of no tile  |
| STAC item     | `stac-v1.0/rapidai4eo_v1_source_s2/33N/16E-243N/rapidai4eo_v1_source_s2_33N_16E-243N_29_01.json` |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self

from landloom.errors import InvalidIdentityError, InvalidValueError
from landloom.model.ids import SCHEMES, Zone

if TYPE_CHECKING:
    from landloom.formats.zarr.codecs import Codec
    from landloom.model.ids import Identity
    from landloom.model.product import Product

CORPUS: Final = "corpus.json"
"""Name, version, recipe, products, terms."""
ROOT: Final = "digest.json"
"""Digests of `corpus.json` and the manifests, and one over them."""
CARD: Final = "README.md"
"""The dataset card."""
CROISSANT: Final = "croissant.json"
"""The machine-readable card."""
INDEX: Final = "index/samples.parquet"
"""One row per sample."""
SPLITS: Final = "splits"
"""Folder of split sets, which are made on a finished corpus."""
STAC: Final = "stac-v1.0"
"""Folder of the catalogue."""
STATE: Final = ".landloom"
"""Folder of local build state; not part of the corpus."""
BEGUN: Final = f"{STATE}/begun"
"""Present during a build, and after one that failed or was killed."""
PARTS: Final = f"{STATE}/joining"
"""Folder of what parts of units have left until they are joined."""
RESOURCES: Final = {
    "geometries": "{name}_geometries.geojson.gz",
    "labels": "{name}_labels.csv.gz",
    "mappings": "{name}_label_mappings.csv",
}
"""Kind of resource → its file name."""


class InTile(Protocol):
    """Objects with a zone and a tile: every sample id, and `TileKey`."""

    @property
    def zone(self) -> object:
        """UTM zone."""
        ...

    @property
    def tile_name(self) -> str:
        """Tile, granule or anchor; unique within the zone."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleGap:
    """Placeholder for any sample in a key, which turns the key into a pattern.

    Example:
        >>> Layout(name="rapidai4eo", version="1.0").label(ANY_SAMPLE)
        'labels/{zone}/{tile}/labels_{id}.geojson'
    """

    zone: object = "{zone}"
    """The zone, if all samples share it."""
    tile_name: str = "{tile}"
    """The tile, if all samples share it."""
    gap: str = "{id}"
    """Placeholder of the id."""

    def __str__(self) -> str:
        return self.gap


ANY_SAMPLE: Final = SampleGap()
"""Placeholder for any sample of a corpus."""


@dataclass(frozen=True, slots=True, order=True)
class TileKey:
    """A tile of any scheme: its samples are built and published together.

    Example:
        >>> key = TileKey.parse("37N_37TDK")
        >>> key.zone, key.tile_name, str(key)
        (Zone(number=37, north=True), '37TDK', '37N_37TDK')
    """

    zone: Zone
    """UTM zone."""
    tile_name: str
    """Tile, granule or anchor; unique within the zone."""

    @classmethod
    def of(cls, placed: Identity) -> Self:
        """The tile of a sample id."""
        return cls(placed.zone, placed.tile_name)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `33N_16E-243N`, the form of `Sample.tile`.

        Raises:
            InvalidIdentityError: not a zone and a name joined by `_`.
        """
        zone, _, name = text.partition("_")
        if not name:
            raise InvalidIdentityError.of(text, expected="a zone and a tile such as 33N_16E-243N")
        return cls(Zone.parse(zone), name)

    def __str__(self) -> str:
        return f"{self.zone}_{self.tile_name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StacNames:
    """Naming and grouping of STAC items and assets; a published variant is a change of these patterns.

    Patterns know `{collection}`, `{sample}`, `{timestep}` (as in file names), `{date}` (the same without hyphens),
    `{prefix}` and `{band}` of the product.
    """

    item: str = "{collection}_{sample}"
    """Id of an item with all timesteps, or without time."""
    dated_item: str | None = None
    """Id of an item of one timestep; None if one item holds all timesteps."""
    band_asset: str | None = None
    """Asset key if every band is a separate file; None if a chip holds all bands."""
    label_link: str = "related"
    """Relation from a label item to the imagery of its sample."""

    @property
    def by_date(self) -> bool:
        """Whether these are the names of a view by date (`landloom.corpus.stac.by_date`)."""
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesByDate(StacNames):
    """Names of a view by date; they are never written into `corpus.json`."""

    @property
    def by_date(self) -> bool:
        """It is one."""
        return True


STAC_NAMES: Final = {
    "utm24": StacNames(),
    "window": StacNames(),
    "granule": StacNames(dated_item="{collection}_{sample}_{date}", band_asset="{band}", label_link="source"),
}
"""Scheme → patterns."""

ResourceKind = Literal["geometries", "labels", "mappings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Keys and STAC ids of one corpus.

    Example:
        >>> from landloom.model.ids import SampleId
        >>> from landloom.model.product import product
        >>> layout, sample = Layout(name="rapidai4eo", version="1.0"), SampleId.parse("33N_16E-243N_29_01")
        >>> layout.chip(sample, product("s2"), "2018-01")
        'imagery/33N/16E-243N/33N_16E-243N_29_01/S2-SR/2018-01.tif'
        >>> layout.item_id("source_s2", sample)
        'rapidai4eo_v1_source_s2_33N_16E-243N_29_01'
    """

    name: str
    """Prefix of every published id: `rapidai4eo`."""
    version: str
    """`1.0`; the major number is part of STAC ids."""
    scheme: str = "utm24"
    """Identity scheme of the samples."""
    names: StacNames | None = None
    """STAC patterns; by default those of the scheme."""
    codec: Codec = "zstd"
    """Compression of new cubes; arrays state their own."""

    def __post_init__(self) -> None:
        if self.scheme not in SCHEMES:
            raise InvalidValueError(f"got scheme {self.scheme!r}, expected one of {', '.join(SCHEMES)}")

    @property
    def patterns(self) -> StacNames:
        """STAC patterns in use."""
        return self.names or STAC_NAMES[self.scheme]

    # Files ---------------------------------------------------------------------------------------------------

    @staticmethod
    def tile_folder(placed: InTile) -> str:
        """Zone and tile as folders: `33N/16E-243N`."""
        return f"{placed.zone}/{placed.tile_name}"

    def chip(self, sample: InTile, product: Product, timestep: str | None, band: str | None = None) -> str:
        """Raster of a sample, product and timestep; with `band`, the file of that band only."""
        stem = "_".join(part for part in (timestep, band) if part is not None) or product.prefix
        return f"imagery/{self.tile_folder(sample)}/{sample}/{_folder(product)}/{stem}.tif"

    def cube(self, tile: InTile, product: Product) -> str:
        """Zarr array of a tile and product; a folder."""
        return f"imagery/{self.tile_folder(tile)}/{_folder(product)}.zarr"

    def parts(self, tile: InTile, product: Product, timestep: str = "") -> str:
        """Folder of the chips of a timestep, or of all, before the cubes of a tile and product are written."""
        return "/".join((PARTS, self.tile_folder(tile), _folder(product), *([timestep] if timestep else [])))

    def label(self, sample: InTile, prefix: str = "labels") -> str:
        """GeoJSON of a sample's class fractions.

        Args:
            sample: the sample.
            prefix: asset prefix of the label product; `labels` for the main one.
        """
        return f"labels/{self.tile_folder(sample)}/{prefix}_{sample}.geojson"

    def raster_label(self, sample: InTile, layer: str, version: str, suffix: str = "tif") -> str:
        """Raster label of a sample: classes, confidence, parcel ids, …; or a table next to it."""
        return f"labels/{self.tile_folder(sample)}/{sample}/{layer}-{version}.{suffix}"

    def lineage(self, tile: InTile, product: Product) -> str:
        """The scenes behind every timestep of a tile."""
        return f"lineage/{self.tile_folder(tile)}/{_folder(product)}.json"

    @staticmethod
    def manifest(tile: InTile | None) -> str:
        """Manifest of a tile; with None, of the files that belong to no tile."""
        return "manifest/corpus.parquet" if tile is None else f"manifest/{tile.zone}/{tile.tile_name}.parquet"

    @property
    def index(self) -> str:
        """GeoParquet with one row per sample."""
        return INDEX

    def resource(self, kind: ResourceKind, product: str | None = None) -> str:
        """Resource file: `geometries`, `labels` or `mappings`.

        Args:
            kind: kind of resource.
            product: key of a further label product; None for the main one.
        """
        name = self.name if product is None else f"{self.name}_{product}"
        return f"resources/{RESOURCES[kind].format(name=name)}"

    # STAC ----------------------------------------------------------------------------------------------------

    @property
    def stac_id(self) -> str:
        """Id of the root catalogue, and prefix of all other ids: `rapidai4eo_v1`."""
        return f"{self.name}_v{self.version.split('.', maxsplit=1)[0]}"

    def collection_id(self, collection: str, zone: Zone | None = None, tile: InTile | None = None) -> str:
        """Id of a product's collection, of one zone of it, or of one tile.

        Args:
            collection: suffix from the product table: `source_s2`.
            zone: for a zone's collection.
            tile: for a tile's collection; includes its zone.
        """
        parts = [self.stac_id, collection]
        if tile is not None:
            parts += [str(tile.zone), tile.tile_name]
        elif zone is not None:
            parts.append(str(zone))
        return "_".join(parts)

    def item_id(self, collection: str, sample: object, timestep: str | None = None) -> str:
        """Id of an item; with a timestep if the scheme has one item per timestep."""
        pattern = self.patterns.item if timestep is None else self.patterns.dated_item or self.patterns.item
        date = (timestep or "").replace("-", "")
        return pattern.format(collection=self.collection_id(collection), sample=sample, timestep=timestep, date=date)

    @property
    def stac_root(self) -> str:
        """The root catalogue."""
        return f"{STAC}/catalog.json"

    def stac_folder(self, collection: str, zone: Zone | None = None, tile: InTile | None = None) -> str:
        """Folder of the document of a collection and of everything below it."""
        folder = f"{STAC}/{self.collection_id(collection)}"
        if tile is not None:
            return f"{folder}/{self.tile_folder(tile)}"
        return folder if zone is None else f"{folder}/{zone}"

    def stac_collection(self, collection: str, zone: Zone | None = None, tile: InTile | None = None) -> str:
        """Document of a product's collection, of one zone of it, or of one tile."""
        return f"{self.stac_folder(collection, zone, tile)}/collection.json"

    def stac_item(self, collection: str, sample: InTile, timestep: str | None = None) -> str:
        """Document of an item; it is in the folder of its tile."""
        return f"{self.stac_folder(collection, tile=sample)}/{self.item_id(collection, sample, timestep)}.json"

    def stac_items_table(self, collection: str) -> str:
        """Slim stac-geoparquet with all items of a product's collection."""
        return f"{self.stac_folder(collection)}/items.parquet"


def _folder(product: Product) -> str:
    if product.folder is None:
        raise InvalidValueError(f"product {product.key!r} has no chips, and so no folder")
    return product.folder
