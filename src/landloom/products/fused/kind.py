"""Fused series: the two products that they publish, and the units that make them."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest, ReportFacts, SceneRequest
from landloom.engine.pixels.bands import clear_classes, sensor_of
from landloom.engine.pixels.cubes import held_chunks
from landloom.engine.pixels.directions import angles_identity
from landloom.engine.pixels.mask_sections import mask_problems, masks_of, pixel_mask
from landloom.engine.pixels.registration import Register
from landloom.engine.scenes.overpasses import overpasses
from landloom.engine.units import Unit, unit_digest
from landloom.errors import Problem
from landloom.model.product import PRODUCTS, Product
from landloom.model.sensor import SENTINEL_2_L2A
from landloom.model.time import Cadence, Period
from landloom.products.fused.importing import MEMORY as IMPORT_MEMORY
from landloom.products.fused.importing import ImportTask
from landloom.products.fused.section import FusedProduct
from landloom.products.fused.sightings import Source
from landloom.products.fused.task import MEMORY, FusedTask
from landloom.reports.drawn import captioned, observation_grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.model.recipe import Recipe, Sections
    from landloom.model.scene import Scene
    from landloom.model.sensor import Sensor
    from landloom.model.time import Timestep

SERIES: Final = "pfsr"
"""Key of the series."""
QUALITY: Final = "pfqa"
"""Key of its quality layers."""
METHOD: Final = 2
"""Version of the method: units made by another one are made again."""
BETWEEN: Final = 1
"""Version of the comparison of two sensors: units that it is part of are made again if another one made them."""
SECOND: Final = "second"
"""Name of the second sensor's scenes."""
LAYERS: Final = "quality"
"""Name of the files of delivered quality layers."""
WITHOUT_EFFECT: Final = ("clear", "dilate", "mask", "registration", "method", "brdf", "valid_range", "second")
"""Settings of computed series."""
COLOURS: Final = (("blue",), ("green",), ("red",), ("nir", "nir08"))
"""Common names of the bands, in the published order; the first that a sensor has."""


class FusedKind(ProductKind[FusedProduct]):
    """A complete series with quality layers."""

    name = "fused"
    section = FusedProduct
    archive_fields = ("archive", SECOND, LAYERS)
    schemes = frozenset({"utm24", "window"})

    def misfits(self, key: str, section: FusedProduct, read: Sections) -> Iterator[Problem]:
        """The names are the published ones, and the sensors need blue, green, red and near infrared."""
        yield from super().misfits(key, section, read)
        where = f"products.{key}"
        if key != SERIES:
            yield Problem(where=where, what=f"fused series are published as {SERIES}; call the section so")
        if QUALITY in (read.get("products") or {}):
            yield Problem(where=f"products.{QUALITY}", what=f"is made with {SERIES}: remove it")
        if section.second is not None and section.second == section.archive:
            yield Problem(where=f"{where}.{SECOND}", what="is the archive of the reference sensor: name another")
        if section.is_imported:
            yield from _import_problems(where, section, read)
        else:
            if section.quality is not None:
                yield Problem(where=f"{where}.{LAYERS}", what="only an imported series has one: remove it")
            yield from mask_problems(where, section, read, list(self._sensors(section, read).values()))
        sensors = self._sensors(section, read)
        yield from _brdf_problems(where, section, sensors)
        yield from _filling_problems(where, section)
        for name, sensor in sensors.items():
            place = where if name == "" else f"{where}.{name}"
            missing = [names[0] for names in COLOURS if _band(sensor, names) is None]
            if missing:
                yield Problem(where=place, what=f"{sensor.title} has no band {', '.join(missing)}")
            layer = sensor.classification
            if name == "" and section.clear is not None and (layer is None or layer.blocked):
                yield Problem(where=f"{where}.clear", what=f"masks of {sensor.title} have no classes: remove it")

    @staticmethod
    def _sensors(section: FusedProduct, read: Mapping[str, object]) -> dict[str, Sensor]:
        found = {"": sensor_of(section, read)}
        if section.second is not None:
            found[SECOND] = sensor_of(section.model_copy(update={"archive": section.second}), read)
        return {name: sensor for name, sensor in found.items() if sensor is not None}

    def completed(self, section: FusedProduct, recipe: Recipe) -> FusedProduct:
        """Clear classes by sensor."""
        if section.is_imported:
            return section
        masks = masks_of(section, dict(recipe), list(self._sensors(section, dict(recipe)).values()))
        if masks:
            return section.model_copy(update={"mask": masks})
        sensor = sensor_of(section, dict(recipe))
        layer = None if sensor is None else sensor.classification
        if section.clear is None and layer is not None and not layer.blocked:
            return section.model_copy(update={"clear": clear_classes(layer)})
        return section

    def describe(
        self, request: ProductRequest[FusedProduct], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        """The series and its quality layers, which share items."""
        steps = timesteps(request)
        return tuple(
            ProductInfo(product=product, terms=request.section.terms, timesteps=steps) for product in products(request)
        )

    def scenes(self, request: ProductRequest[FusedProduct]) -> SceneRequest:
        """All scenes of the reference sensor in the period, or all files of a delivered series."""
        return replace(request.scenes, period=_searched(request))

    def more_scenes(self, request: ProductRequest[FusedProduct]) -> Mapping[str, SceneRequest]:
        """All scenes of the second sensor, if there is one, or the delivered quality layers."""
        named = {SECOND: request.section.second, LAYERS: request.section.quality}
        return {
            key: SceneRequest(archive=name, period=_searched(request))
            for key, name in named.items()
            if name is not None
        }

    def units(self, request: ProductRequest[FusedProduct], inputs: PlanInputs) -> list[Unit]:
        """One unit per tile."""
        make = self._import if request.section.is_imported else self._unit
        return [make(request, inputs, tile) for tile in inputs.tiles]

    def _import(self, request: ProductRequest[FusedProduct], inputs: PlanInputs, tile: str) -> Unit:
        """The unit of a delivered series."""
        project, section, samples = request.project, request.section, inputs.tiles[tile]
        read = dict(project.recipe)
        series, layers = (_sensor(section.model_copy(update={"archive": name}), read) for name in _archives(section))
        own = inputs.scenes[request.path][tile]
        beside = inputs.scenes[f"{request.path}.{LAYERS}"][tile]
        task = ImportTask(
            store=inputs.store,
            layout=inputs.layout,
            layouts=project.recipe.layouts,
            products=products(request),
            series=tuple(own),
            quality=tuple(replace(scene, id=f"{scene.id}_{LAYERS}") for scene in beside),
            bands=tuple(name for names in COLOURS if (name := _band(series, names)) is not None),
            layers=tuple(layers.bands),
            resolution=section.resolution,
            samples=samples,
            timesteps=timesteps(request),
        )
        decides = unit_digest(
            section.model_dump(mode="json", exclude={"terms"}),
            project.stored,
            [[asdict(product) for product in task.products], inputs.layout.name],
            [[step.name, str(step.period)] for step in task.timesteps],
            [(str(sample.id), sample.bounds) for sample in samples],
            [project.scene_identity(scene, task.bands, request.scenes.archive) for scene in own],
            [project.scene_identity(scene, task.layers, str(section.quality)) for scene in beside],
        )
        return self._made(request, tile, decides, IMPORT_MEMORY, task)

    def _unit(self, request: ProductRequest[FusedProduct], inputs: PlanInputs, tile: str) -> Unit:
        project, section, samples = request.project, request.section, inputs.tiles[tile]
        sensors = self._sensors(section, dict(project.recipe))
        own, other = inputs.scenes[request.path][tile], inputs.scenes.get(f"{request.path}.{SECOND}", {})
        more, read = other.get(tile, ()), project.scene_identity
        first = _source(sensors[""], own, section, samples[0].epsg)
        second = _source(sensors[SECOND], more, section, samples[0].epsg) if SECOND in sensors else None
        task = FusedTask(
            store=inputs.store,
            layout=inputs.layout,
            layouts=project.recipe.layouts,
            products=products(request),
            first=first,
            second=second,
            resolution=section.resolution,
            samples=samples,
            timesteps=timesteps(request),
            limits=section.limits,
            filling=section.filling,
            register=Register(section.registration or Register.MEASURE),
        )
        key = unit_digest(
            METHOD,
            section.model_dump(mode="json", exclude={"terms"}),
            project.stored,
            [[asdict(product) for product in task.products], inputs.layout.name],
            [[step.name, str(step.period)] for step in task.timesteps],
            [(str(sample.id), sample.bounds) for sample in samples],
            [read(scene, first.read, request.scenes.archive) for scene in own],
            [read(scene, second.read, str(section.second)) for scene in more] if second else [],
            *_further(task),
        )
        return self._made(request, tile, key, MEMORY + held_chunks(task.scenes), task)

    def _made(
        self, request: ProductRequest[FusedProduct], tile: str, key: str, memory: int, task: FusedTask | ImportTask
    ) -> Unit:
        return Unit(
            kind=self.name,
            product=request.unit,
            tile=tile,
            makes=(SERIES, QUALITY),
            samples=task.samples,
            key=key,
            memory=memory,
            task=task,
            reads=task.scenes,
        )

    def report(self, request: ProductRequest[FusedProduct], facts: ReportFacts) -> list[str]:
        """Observations by tile and timestep, and errors at withheld ones."""
        from landloom.products.fused.report import withheld_part

        errors = withheld_part(one.outcome.measures for one in facts.of(request))
        rows = [(one.tile, one.outcome.lineage) for one in facts.of(request) if one.outcome.lineage is not None]
        if not rows:
            return errors
        means = np.array([[step.observations or 0.0 for step in lineage.timesteps] for _, lineage in rows])
        steps = [step.timestep for step in rows[0][1].timesteps]
        grid = observation_grid([tile for tile, _ in rows], steps, means)
        title = products(request)[0].title
        if request.section.is_imported:
            return ["<h2>The delivered series</h2>", captioned(grid, f"{title}: share of pixels that were delivered.")]
        seen = ["<h2>Observations behind the fused series</h2>", captioned(grid, f"{title}: mean used observations.")]
        return [*seen, *errors]


def timesteps(request: ProductRequest[FusedProduct]) -> tuple[Timestep, ...]:
    """The timesteps of the series."""
    return Cadence.parse(request.section.cadence).timesteps(request.period)


def _searched(request: ProductRequest[FusedProduct]) -> Period:
    """The period of its scenes; the date of the last delivered file may lie just beyond that of the series."""
    period = request.period
    if not request.section.is_imported:
        return period
    return Period(period.start, max(period.end, timesteps(request)[-1].stamp + timedelta(days=1)))


def products(request: ProductRequest[FusedProduct]) -> tuple[Product, Product]:
    """The series and its quality layers at the recipe's resolution and cadence."""
    resolution, cadence = request.section.resolution, request.section.cadence
    series, quality = (
        replace(
            PRODUCTS[key],
            resolution=resolution,
            cadence=cadence,
            bands=tuple(replace(band, resolution=resolution) for band in PRODUCTS[key].bands),
        )
        for key in (SERIES, QUALITY)
    )
    title = f"Fused surface reflectance, {cadence}" + (", imported" if request.section.is_imported else "")
    return replace(series, title=title), replace(quality, dtype="uint16", nodata=65_535)


def _band(sensor: Sensor, names: Sequence[str]) -> str | None:
    """The sensor's band of a colour."""
    for name in names:
        for band in sensor.bands.values():
            if band.common_name == name:
                return band.name
    return None


def _archives(section: FusedProduct) -> tuple[str | None, str | None]:
    """Archives of a delivered series and of its quality layers."""
    return section.archive, section.quality


def _sensor(section: FusedProduct, read: Mapping[str, object]) -> Sensor:
    sensor = sensor_of(section, read)
    if sensor is None:
        raise TypeError("the recipe has not been checked")
    return sensor


def _import_problems(where: str, section: FusedProduct, read: Mapping[str, object]) -> Iterator[Problem]:
    """What a delivered series needs, and settings that would have no effect on it."""
    for name in WITHOUT_EFFECT:
        if getattr(section, name) != FusedProduct.model_fields[name].default:
            yield Problem(where=f"{where}.{name}", what="has no effect on an imported series: remove it")
    if section.quality is None:
        yield Problem(where=f"{where}.{LAYERS}", what="an imported series needs the archive of its quality layers")
        return
    if section.quality == section.archive:
        yield Problem(where=f"{where}.{LAYERS}", what="is the archive of the series: name another")
    sensor = sensor_of(section.model_copy(update={"archive": section.quality}), read)
    wanted = PRODUCTS[QUALITY].bands
    if sensor is not None and len(sensor.bands) != len(wanted):
        names = ", ".join(band.name for band in wanted)
        what = f"{sensor.title} has {len(sensor.bands)} bands, expected the {len(wanted)} layers {names}"
        yield Problem(where=f"{where}.{LAYERS}", what=what)


def _further(task: FusedTask) -> list[object]:
    """What else decides a unit, of what most recipes do not ask for."""
    between: list[object] = [BETWEEN] if task.second is not None and task.register is not Register.OFF else []
    return between if task.first.to_sun is None else [*between, [angles_identity(scene) for scene in task.scenes]]


def _filling_problems(where: str, section: FusedProduct) -> Iterator[Problem]:
    """Settings that the way to fill does not use."""
    method = section.filling.method
    for key, given, user in (
        ("smoothing", section.smoothing is not None, "whittaker"),
        ("periodic", section.periodic, "linear"),
        (SECOND, section.second is not None and not section.is_imported, "fused"),
    ):
        if given and method != user:
            yield Problem(where=f"{where}.{key}", what=f"only `method: {user}` uses it: remove it")


def _brdf_problems(where: str, section: FusedProduct, sensors: Mapping[str, Sensor]) -> Iterator[Problem]:
    """Settings of the c-factor method that would have no effect."""
    if section.sun_zenith is not None and section.to_sun is None:
        yield Problem(where=f"{where}.sun_zenith", what="only `brdf: c-factor` uses it: remove it")
    if section.to_sun is not None and sensors and all(sensor.nadir for sensor in sensors.values()):
        yield Problem(where=f"{where}.brdf", what="HLS is already at nadir: remove it")


def _source(sensor: Sensor, scenes: Sequence[Scene], section: FusedProduct, epsg: int) -> Source:
    """A sensor's part of a tile; given classes hold for the reference sensor's classification alone."""
    bands = tuple(name for names in COLOURS if (name := _band(sensor, names)) is not None)
    clear = None if section.clear is None or sensor is not SENTINEL_2_L2A else frozenset(section.clear)
    coarse = max(sensor.bands[name].resolution for name in bands)
    return Source(
        bands=bands,
        mask=replace(pixel_mask(section, sensor), clear=clear),
        passes=tuple(tuple(group) for group in overpasses(scenes, epsg)),
        footprint=max(round(coarse / section.resolution), 1),
        to_sun=section.to_sun,
    )
