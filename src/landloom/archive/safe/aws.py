"""Tiles in the layout of AWS's buckets, with the metadata of their product, as packages of the SAFE layout.

```
tiles/33/U/UU/2018/6/5/0/            tileInfo.json, metadata.xml, B02.jp2 or R10m/B02.jp2, …, qi/MSK_CLOUDS_B00.gml
products/2018/6/5/S2A_MSIL2A_…/      productInfo.json, metadata.xml: offsets, baseline, orbit and outline
```
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Collection

TILE: Final = "tileInfo.json"
PRODUCT: Final = "productInfo.json"
METADATA: Final = "metadata.xml"
_LARGEST: Final = 2**20
"""Bytes of a `tileInfo.json` at most."""
_LEVELS: Final = 8
"""Folders from a tile up to the one that holds `tiles` and `products`."""
_IMAGE: Final = re.compile(r"(?:R\d\dm/)?[^/]+\.(?:jp2|tif)", re.IGNORECASE | re.ASCII)
_GRANULE: Final = "GRANULE/TILE"


def is_product_metadata(names: Collection[str], folders: Collection[str]) -> bool:
    """Whether a folder holds the metadata of a product, whose tiles are elsewhere.

    Example:
        >>> is_product_metadata(["metadata.xml", "productInfo.json"], ["datastrip"])
        True
    """
    return {PRODUCT, METADATA} <= set(names) and TILE not in names and "GRANULE" not in folders


def tile_files(tile: Path) -> dict[str, Path]:
    """The files of a tile and of its product by their names in the SAFE layout.

    Args:
        tile: folder with a `tileInfo.json`.

    Raises:
        InvalidInputError: it has no metadata, or those of its product are not there.
        OSError: it cannot be read.
    """
    found = {METADATA: product_folder(tile) / METADATA}
    for at, _, names in os.walk(tile):
        for name in names:
            path = Path(at, name).relative_to(tile).as_posix()
            if path == METADATA:
                found[f"{_GRANULE}/MTD_TL.xml"] = tile / path
            elif _IMAGE.fullmatch(path):
                found[f"{_GRANULE}/IMG_DATA/{path}"] = tile / path
            elif path.startswith("qi/"):
                found[f"{_GRANULE}/QI_DATA/{name}"] = tile / path
    if f"{_GRANULE}/MTD_TL.xml" not in found:
        raise InvalidInputError(f"a tile in AWS's layout without its {METADATA}")
    return found


def product_folder(tile: Path) -> Path:
    """The folder of a tile's product.

    Raises:
        InvalidInputError: it is not there, or not stated.
        OSError: the tile's document cannot be read.
    """
    with (tile / TILE).open("rb") as file:
        content = file.read(_LARGEST)
    try:
        stated = json.loads(content)["productPath"]
        parts = stated.strip("/").split("/")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInputError(
            f"a tile in AWS's layout whose {TILE} states no productPath, expected that of its metadata"
        ) from error
    if not {"", ".", ".."}.isdisjoint(parts) or not all(part.isprintable() for part in parts):
        raise InvalidInputError(f"{TILE}: got productPath {stated!r}, expected one such as products/2018/6/5/NAME")
    for above in list(tile.parents)[:_LEVELS]:
        folder = above.joinpath(*parts)
        if (folder / METADATA).is_file():
            return folder
    raise InvalidInputError(
        f"a tile in AWS's layout without its product's metadata, which state its offset: expected {stated}/{METADATA} "
        "beside tiles"
    )
