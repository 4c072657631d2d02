"""Pictures of items: PNGs that the explorer draws, as assets for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from landloom.model.time import format_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from landloom.server.stac.item_index import ItemCollection

_PNG: Final = "image/png"


def pictures(collection: ItemCollection, document: Mapping[str, Any], api: str) -> dict[str, dict[str, Any]]:
    """The assets `thumbnail` and `overview` of an item of imagery: natural colours; of the middle one of its timesteps.

    Args:
        collection: of the item.
        document: the item.
        api: root of the API; ends with a slash.
    """
    imagery = next((item for item in collection.members if item.product.kind == "imagery" and item.timesteps), None)
    if imagery is None or "chips" not in collection.info.layouts:
        return {}
    product, sample = imagery.product, document["properties"]["sample_id"]
    stamps = {asset.get("datetime") for asset in document["assets"].values() if "data" in asset["roles"]}
    steps = [step.name for step in imagery.timesteps if format_instant(step.stamp) in stamps]
    if not steps:
        return {}
    step = steps[len(steps) // 2]
    address = f"{api}explore/samples/{sample}/{imagery.key}/{step}.png"
    return {
        role: {"href": address, "type": _PNG, "title": f"{product.title}, {step}, as a picture", "roles": [role]}
        for role in ("thumbnail", "overview")
    }
