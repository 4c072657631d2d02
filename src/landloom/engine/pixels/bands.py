"""Bands and masks that a section selects from its archive's sensor: checked and completed when a recipe is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from landloom.engine.pixels.mask_sections import mask_problems, masks_of
from landloom.errors import Problem
from landloom.model.recipe.recipe import MAIN
from landloom.model.sensor import SENSORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landloom.model.recipe import Recipe, Sections
    from landloom.model.sensor import Classification, Sensor


def sensor_of(section: object, read: Mapping[str, Any]) -> Sensor | None:
    """The sensor whose scenes a product is made from; None if the recipe does not determine it.

    Args:
        section: of the product.
        read: key of the recipe → section.
    """
    from landloom.archive.open import archive_kinds, archive_sensor  # noqa: PLC0415 - workers open no archive

    archives = dict(read.get("archives") or {})
    if read.get("archive") is not None:
        archives = {MAIN: read["archive"]}
    name = getattr(section, "archive", None) or (next(iter(archives)) if len(archives) == 1 else None)
    found = archives.get(name) if name is not None else None
    if found is None or found.kind not in archive_kinds() or (found.sensor or next(iter(SENSORS))) not in SENSORS:
        return None
    return archive_sensor(found)


def band_problems(where: str, section: Any, read: Sections) -> Iterator[Problem]:
    """Bands that the sensor lacks or that are repeated, and classes for a sensor whose mask has none.

    Args:
        where: path of the section.
        section: with `bands` and `clear`.
        read: key of the recipe → section.
    """
    sensor = sensor_of(section, read)
    if sensor is None:
        return
    bands = section.bands
    if bands is not None:
        unknown = [name for name in bands if name not in sensor.bands]
        if unknown or not bands or len(set(bands)) != len(bands):
            known = ", ".join(sensor.bands)
            lacks = f"; {sensor.title} has no {', '.join(unknown)}" if unknown else ""
            what = f"got {list(bands)}, expected distinct bands out of {known}{lacks}"
            yield Problem(where=f"{where}.bands", what=what)
    layer = sensor.classification
    yield from mask_problems(where, section, read, [sensor])
    if section.clear is not None and (layer is None or layer.blocked):
        why = f"masks of {sensor.title} {sensor.level} have bits" if layer is None else f"{layer.name} has bits"
        yield Problem(where=f"{where}.clear", what=f"{why}, not classes: remove it")


def completed_bands(
    section: Any, recipe: Recipe, *, bands: Sequence[str], clear: Sequence[int] | None = None
) -> dict[str, Any]:
    """Default values of `bands` and `clear` for a section.

    Args:
        section: with `bands` and `clear`.
        recipe: its recipe.
        bands: default, limited to the bands of the sensor; all its bands if it has none of these.
        clear: default for a sensor with a scene classification like Sen2Cor's; by default the sensor's own.
    """
    sensor = sensor_of(section, dict(recipe))
    if sensor is None:
        return {}
    own = tuple(name for name in bands if name in sensor.bands) or tuple(sensor.bands)
    update: dict[str, Any] = {} if section.bands is not None else {"bands": own}
    masks = masks_of(section, dict(recipe), [sensor])
    if masks:
        return update | {"mask": masks}
    layer = sensor.classification
    if section.clear is None and layer is not None and not layer.blocked:
        update["clear"] = clear_classes(layer) if clear is None else tuple(clear)
    return update


def clear_classes(layer: Classification) -> tuple[int, ...]:
    """Classes that count as usable by default."""
    return tuple(sorted(int(one) for one in layer.clear))
