"""Masks that a recipe names: checked and completed when it is read, and turned into rules for reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landloom.engine.pixels.masks import MaskSource, PixelMask
from landloom.engine.pixels.network import CloudNetwork
from landloom.errors import NotFoundError, Problem
from landloom.imagery.masks.network import COLOURS, require_network
from landloom.model.sensor import Classification

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landloom.model.recipe.masks import MaskSection
    from landloom.model.sensor import Sensor


def mask_problems(
    where: str, section: Any, read: Mapping[str, Any], sensors: Sequence[Sensor | None]
) -> Iterator[Problem]:
    """Masks that no sensor of a product has, values that they lack, and sensors for which no mask of a product is.

    Args:
        where: path of the section.
        section: with `mask` and `clear`.
        read: key of the recipe → section; `mask` holds for all products.
        sensors: of the product; None if the recipe does not determine one.
    """
    known = [one for one in sensors if one is not None]
    if not known:
        return
    names = ", ".join(one.title for one in known)
    stated = getattr(section, "mask", None)
    if stated is None:
        return
    place, masks = (f"{where}.mask", stated) if stated else ("mask", read.get("mask") or ())
    if masks and section.clear is not None:
        yield Problem(where=f"{where}.clear", what=f"got clear beside {place}: say there what counts as usable")
    for number, mask in enumerate(masks):
        own = [sensor for sensor in known if is_of(mask, sensor)]
        at = f"{place}.{number}"
        if stated and not own:
            yield Problem(where=f"{at}.{'band' if mask.band else 'source'}", what=f"{names} has no {_name(mask)}")
        for sensor in own:
            try:
                _source(mask, sensor, 0)
            except NotFoundError as error:
                yield Problem(where=f"{at}.clear", what=str(error))
    used = [sensor for sensor in known if any(is_of(mask, sensor) for mask in masks)]
    for sensor in known:
        # What no sensor has is named mask by mask.
        if masks and sensor not in used and (used or not stated):
            told = ", ".join(_name(mask) for mask in masks)
            yield Problem(where=place, what=f"got {told}, none of which {sensor.title} of {where} has")


def _name(mask: MaskSection) -> str:
    return mask.band or (mask.source if mask.source != "band" else "described mask")


def is_of(mask: MaskSection, sensor: Sensor) -> bool:
    """Whether a sensor has what a mask is known from."""
    layer = sensor.classification
    if mask.source == "csmask":
        return len(_network_bands(sensor)) == len(COLOURS)
    if mask.band is not None:
        return mask.band in sensor.bands or (layer is not None and layer.name == mask.band)
    if layer is None:
        return False
    if mask.source == "band":
        return sensor.is_described
    return layer.name.lower() == mask.source and not sensor.is_described


def masks_of(section: Any, read: Mapping[str, Any], sensors: Sequence[Sensor]) -> tuple[MaskSection, ...]:
    """The masks of a product: its own, else those of the recipe that one of its sensors has."""
    own: tuple[MaskSection, ...] | None = getattr(section, "mask", None)
    if own is None:
        return ()
    return own or tuple(one for one in read.get("mask") or () if any(is_of(one, sensor) for sensor in sensors))


def pixel_mask(section: Any, sensor: Sensor) -> PixelMask:
    """The rule of a section with `clear`, `dilate` and `mask` for the scenes of a sensor.

    Raises:
        MissingExtraError: a mask needs an extra that is not installed.
    """
    masks = [mask for mask in section.mask if is_of(mask, sensor)]
    if any(mask.source == "csmask" for mask in masks):
        require_network()
    clear = None if section.clear is None else frozenset(section.clear)
    sources = tuple(_source(mask, sensor, section.dilate) for mask in masks)
    return PixelMask(clear=clear, dilate=section.dilate, sources=sources)


def _source(mask: MaskSection, sensor: Sensor, dilate: int) -> MaskSource:
    """What to read of a sensor's scenes.

    Raises:
        NotFoundError: a value or word that the layer does not have.
    """
    grow = dilate if mask.dilate is None else mask.dilate
    if mask.source == "csmask":
        network = CloudNetwork(bands=_network_bands(sensor), level=sensor.level, dilate=grow)
        return MaskSource(network=network)
    layer = sensor.classification
    if mask.band is None or (layer is not None and layer.name == mask.band):
        known = None if layer is None or mask.clear is None else layer.codes(mask.clear)
        return MaskSource(clear=known, dilate=grow, least_clear=mask.least_clear)
    other = Classification(name=mask.band, resolution=sensor.bands[mask.band].resolution, nodata=None, zero=True)
    if mask.clear is None:
        raise NotFoundError(f"got no clear, expected the values of {mask.band} that count as usable")
    return MaskSource(layer=other, clear=other.codes(mask.clear), dilate=grow, least_clear=mask.least_clear)


def _network_bands(sensor: Sensor) -> tuple[str, ...]:
    """The sensor's bands that the network needs, as far as it has them."""
    by_colour = {band.common_name: band.name for band in reversed(tuple(sensor.bands.values())) if band.common_name}
    found = (next((by_colour[name] for name in names if name in by_colour), None) for names in COLOURS)
    return tuple(name for name in found if name is not None)
