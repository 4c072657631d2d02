"""A Sentinel-2 archive of the whole Earth, of which nothing is stored: a STAC API and files, made when asked for.

Files have the grid, the blocks and about the size of those of Earth Search; their blocks repeat (`blocks`), at offsets
of their own, so that ranges are requested as from real files.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import shapely
from shapely.geometry import shape

from landloom.errors import LandloomError
from landloom.formats.geotiff import cog_head
from landloom.formats.tiff import FRAME
from landloom.model.granules import EXTENT, granules_in
from landloom.model.ids import GranuleId
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Period, parse_instant
from landloom.simulate.remote.blocks import COVERS, DAYS, GROUNDS, SIDE, classification_blocks, reflectance_blocks
from landloom.simulate.remote.content import Held
from landloom.simulate.remote.passes import number_of, passes
from landloom.simulate.spec import BANDS
from landloom.simulate.stac_items import COLLECTION, FileFacts, item_document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from landloom.model.grid import Grid
    from landloom.simulate.remote.blocks import Blocks
    from landloom.simulate.world import SceneSpec

CLASSIFICATION: Final = "SCL"
COG: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
_CONFORMS: Final = ("https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search")
_PAGE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RepeatingFile:
    """A file that consists of a head and repeated blocks."""

    head: bytes
    blocks: tuple[bytes, ...]
    order: tuple[int, ...]
    """Block of each tile."""
    starts: tuple[int, ...]
    """First byte of each tile with its frame, and the size of the file."""
    etag: str

    @property
    def size(self) -> int:
        """Bytes."""
        return self.starts[-1]

    def part(self, start: int, stop: int) -> list[bytes | memoryview]:
        """Bytes from a position up to another, in pieces."""
        pieces: list[bytes | memoryview] = [self.head[start:stop]] if start < len(self.head) else []
        number = max(bisect_right(self.starts, start) - 1, 0)
        while number < len(self.order) and self.starts[number] < stop:
            block, first = memoryview(self.blocks[self.order[number]]), self.starts[number]
            pieces.append(block[max(start - first, 0) : stop - first])
            number += 1
        return pieces


class Sentinel2Content:
    """The archive of `landloom.simulate.remote.server`.

    Args:
        seed: decides which blocks a file has.
        side: of a block in pixels; smaller ones for tests.
    """

    def __init__(self, seed: int = 0, side: int = SIDE) -> None:
        self._seed, self._side = seed, side
        self._file = lru_cache(maxsize=4096)(self._made)
        self._search = lru_cache(maxsize=64)(self._found)

    def find(self, path: str, query: str, body: bytes, address: str) -> Held | None:  # noqa: ARG002
        """See `landloom.simulate.remote.content.Content`."""
        match path.strip("/").split("/"):
            case [""]:
                return _json(_landing(address))
            case ["search"]:
                return self._page(json.loads(body or b"{}"), address)
            case [scene, file] if file.endswith(".tif"):
                made = self._file(scene, file.removesuffix(".tif"))
                return None if made is None else Held(type=COG, size=made.size, part=made.part, etag=made.etag)
        return None

    def _page(self, wish: dict[str, Any], address: str) -> Held:
        """A page of a search, with a link to the next."""
        if COLLECTION not in wish.get("collections", [COLLECTION]):
            return _json({"type": "FeatureCollection", "features": [], "links": []})
        found = self._search(json.dumps(wish.get("intersects")), str(wish["datetime"]))
        limit, start = int(wish.get("limit", _PAGE)), int(wish.get("token", 0))
        shown = [self.item(scene, address) for scene in found[start : start + limit]]
        links = []
        if start + limit < len(found):
            body = wish | {"token": start + limit}
            links = [{"rel": "next", "href": f"{address}/search", "method": "POST", "body": body}]
        return _json({"type": "FeatureCollection", "features": shown, "links": links})

    @staticmethod
    def _found(region: str, times: str) -> tuple[SceneSpec, ...]:
        start, _, end = times.partition("/")
        period = Period(parse_instant(start), parse_instant(end or start))
        area = shape(json.loads(region)) if region != "null" else shapely.box(-180, -90, 180, 90)
        return tuple(scene for granule in granules_in(area) for scene in passes(granule, period))

    def item(self, scene: SceneSpec, address: str) -> dict[str, Any]:
        """The STAC item of a scene."""
        thumbnails = classification_blocks(self._side).thumbnails
        side = -(-EXTENT // 20 // self._side)
        order = np.array(self.order(scene, CLASSIFICATION)).reshape(side, side)
        scl: NDArray[np.uint8] = np.block([[thumbnails[number] for number in row] for row in order.tolist()])
        facts = {band: FileFacts(size=0, checksum="") for band in (*BANDS, CLASSIFICATION)}
        item = item_document(scene, scl, facts)
        for band, asset in zip((*BANDS, CLASSIFICATION), item["assets"].values(), strict=True):
            asset["href"] = f"{address}/{scene.id}/{band}.tif"
            del asset["file:size"], asset["file:checksum"]
        return item

    def order(self, scene: SceneSpec, band: str) -> tuple[int, ...]:
        """The block of each tile of a file, row by row; 0 is one without data."""
        resolution = _resolution(band)
        side = -(-round(EXTENT / resolution) // self._side)
        step, pass_ = self._side * resolution, number_of(scene)
        west, east = _shown(scene)
        found = []
        for row in range(side):
            for column in range(side):
                lot = self._lot(scene.granule, row, column)
                if (column + 1) * step <= west or column * step >= east:
                    found.append(0)
                elif band == CLASSIFICATION:
                    found.append(1 + (pass_ + lot) % len(COVERS))
                else:
                    found.append(1 + lot % GROUNDS * DAYS + (pass_ + BANDS.index(band)) % DAYS)
        return tuple(found)

    def _lot(self, granule: str, row: int, column: int) -> int:
        digest = hashlib.blake2b(f"{self._seed} {granule} {row} {column}".encode(), digest_size=4).digest()
        return int.from_bytes(digest)

    def _made(self, scene_id: str, band: str) -> RepeatingFile | None:
        scene = scene_of(scene_id)
        if scene is None or band not in {*BANDS, CLASSIFICATION}:
            return None
        blocks = (classification_blocks if band == CLASSIFICATION else reflectance_blocks)(self._side)
        order = self.order(scene, band)
        grid = scene.grid.at(_resolution(band))
        return _file(grid, blocks, order, self._side, f'"{self._seed}-{scene_id}-{band}"')


def _file(grid: Grid, blocks: Blocks, order: Sequence[int], side: int, etag: str) -> RepeatingFile:
    counts = blocks.counts
    head, offsets = cog_head(grid, np.dtype(blocks.dtype), [counts[one] for one in order], nodata=0, block=side)
    starts = [first - FRAME for first in offsets]
    end = starts[-1] + len(blocks.data[order[-1]])
    return RepeatingFile(head=head, blocks=blocks.data, order=tuple(order), starts=(*starts, end), etag=etag)


def scene_of(text: str) -> SceneSpec | None:
    """The scene with this id, if there is one.

    Example:
        >>> scene_of("S2A_33UUU_20180105_0_L2A").orbit, scene_of("S2A_33UUU_20180106_0_L2A")
        (5, None)
    """
    parts = text.split("_")
    try:
        granule, start = GranuleId.parse(parts[1]), parse_instant(f"{parts[2][:4]}-{parts[2][4:6]}-{parts[2][6:]}")
    except (LandloomError, ValueError, IndexError):
        return None
    found = passes(granule, Period(start, start + timedelta(days=1)))
    return next((scene for scene in found if scene.id == text), None)


def _resolution(band: str) -> float:
    return 20.0 if band == CLASSIFICATION else SENTINEL2[band].resolution


def _shown(scene: SceneSpec) -> tuple[float, float]:
    """First and last metre that the swath shows, from the west edge of the granule."""
    if scene.swath is None:
        return 0.0, float(EXTENT)
    x, y, _, _ = scene.swath
    edge = x - scene.grid.west
    return (0.0, edge) if y == scene.grid.south else (edge, float(EXTENT))


def _landing(address: str) -> dict[str, Any]:
    return {
        "type": "Catalog",
        "id": "rehearsal",
        "description": "Sentinel-2 Level-2A, made as it is asked for.",
        "stac_version": "1.0.0",
        "conformsTo": list(_CONFORMS),
        "links": [
            {"rel": "self", "href": address, "type": "application/json"},
            {"rel": "root", "href": address, "type": "application/json"},
            {"rel": "search", "href": f"{address}/search", "type": "application/geo+json", "method": "GET"},
            {"rel": "search", "href": f"{address}/search", "type": "application/geo+json", "method": "POST"},
        ],
    }


def _json(document: dict[str, Any]) -> Held:
    return Held.document(json.dumps(document).encode(), "application/geo+json")
