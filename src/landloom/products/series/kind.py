"""Series in native bands: the products they publish, and the units that cut them."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

from landloom.corpus.info import ProductInfo
from landloom.engine.kinds import ProductKind, ProductRequest, SceneRequest
from landloom.engine.pixels.bands import band_problems, completed_bands, sensor_of
from landloom.engine.pixels.cubes import held_chunks
from landloom.engine.pixels.mask_sections import pixel_mask
from landloom.engine.pixels.registration import Register
from landloom.engine.units import Unit, unit_digest
from landloom.errors import InvalidInputError, Problem
from landloom.model.product import PRODUCTS, Product
from landloom.model.rendering.known import flag
from landloom.model.sensor import SENTINEL2, SENTINEL_2_L2A, Band
from landloom.products.series.section import SeriesProduct
from landloom.products.series.task import MEMORY, SeriesTask, acquisitions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from landloom.engine.kinds import PlanInputs
    from landloom.engine.placement import Placement
    from landloom.engine.results import Results
    from landloom.model.recipe import Recipe, Sections
    from landloom.model.sample import Sample
    from landloom.model.scene import Scene
    from landloom.model.sensor import Sensor

BANDS: Final = tuple(name for name in SENTINEL2 if name != "B10")
"""All bands but cirrus, which does not observe the ground."""
PREFIX: Final = "s2"
"""Start of the keys of Sentinel-2's products; those of other sensors start with the section's key."""
VALID: Final = "valid"
"""End of the key of the mask."""
MASK: Final = Product(
    key=f"{PREFIX}_{VALID}",
    folder="S2-VALID",
    collection="source_s2_native",
    prefix="valid",
    kind="quality",
    title="Usable pixels of each acquisition",
    resolution=10,
    cadence="acquired",
    dtype="uint8",
    nodata=None,
    bands=(
        Band(
            name="valid",
            description="1 = usable: clear, and data in every band",
            resolution=10,
            rendering=flag("cloud, shadow, or no data", "usable"),
        ),
    ),
)


class SeriesKind(ProductKind[SeriesProduct]):
    """Every acquisition in its native bands."""

    name = "series"
    section = SeriesProduct

    def misfits(self, key: str, section: SeriesProduct, read: Sections) -> Iterator[Problem]:
        """Bands must be bands of the sensor."""
        yield from super().misfits(key, section, read)
        yield from band_problems(f"products.{key}", section, read)
        sensor = sensor_of(section, read)
        if sensor is not None and key in PRODUCTS and sensor.title != SENTINEL_2_L2A.title:
            what = f"is another published product; call series of {sensor.title} by their name"
            yield Problem(where=f"products.{key}", what=what)

    def completed(self, section: SeriesProduct, recipe: Recipe) -> SeriesProduct:
        """Bands and clear classes by sensor."""
        return section.model_copy(update=completed_bands(section, recipe, bands=BANDS))

    def describe(
        self, request: ProductRequest[SeriesProduct], placement: Placement | None = None
    ) -> tuple[ProductInfo, ...]:
        """One product per native resolution, finest first, then the mask if it is published."""
        return tuple(
            ProductInfo(product=product, terms=request.section.terms, acquired=True) for product in products(request)
        )

    def scenes(self, request: ProductRequest[SeriesProduct]) -> SceneRequest:
        """All scenes of the period."""
        return request.scenes

    def units(self, request: ProductRequest[SeriesProduct], inputs: PlanInputs) -> list[Unit]:
        """One unit per tile."""
        project, section, units = request.project, request.section, []
        made, bands, mask = products(request), section.bands or (), pixel_mask(section, _sensor(request))
        for tile, samples, scenes in _shown(request, inputs):
            task = SeriesTask(
                store=inputs.store,
                layout=inputs.layout,
                layouts=project.recipe.layouts,
                products=tuple(made[:-1] if section.valid else made),
                valid_product=made[-1] if section.valid else None,
                bands=bands,
                mask=mask,
                least_data=section.least_data,
                least_valid=section.least_valid,
                samples=samples,
                dates=acquisitions(scenes, samples[0].epsg),
                seasons=project.seasons,
                register=Register(section.registration or Register.OFF),
            )
            decides = unit_digest(
                section.model_dump(mode="json", exclude={"terms"}),
                project.stored,
                [[asdict(product) for product in made], inputs.layout.name],
                [(str(sample.id), sample.bounds) for sample in samples],
                [project.scene_identity(scene, mask.with_bands(bands), request.scenes.archive) for scene in scenes],
                [(year, str(season)) for year, season in project.seasons.items()],
            )
            unit = Unit(
                kind=self.name,
                product=request.unit,
                tile=tile,
                makes=tuple(product.key for product in made),
                samples=samples,
                key=decides,
                memory=MEMORY + held_chunks(scenes),
                task=task,
                reads=tuple(scenes),
            )
            units.append(unit)
        return units

    def notes(self, request: ProductRequest[SeriesProduct], results: Results) -> list[str]:
        """Tiles without any scene, where the recipe allows them, beside what units worked around."""
        made = {unit.tile for unit in results.units(product=request.unit)}
        empty = [f"{request.unit}/{tile}: the archive has no scene of it" for tile in results.tiles if tile not in made]
        return [*super().notes(request, results), *empty]


def _shown(
    request: ProductRequest[SeriesProduct], inputs: PlanInputs
) -> Iterator[tuple[str, tuple[Sample, ...], Sequence[Scene]]]:
    """Tiles that have any scene, with their samples."""
    for tile, samples in inputs.tiles.items():
        scenes = inputs.scenes[request.path][tile]
        if _has_scenes(tile, scenes, request):
            yield tile, samples, scenes


def _has_scenes(tile: str, scenes: Sequence[Scene], request: ProductRequest[SeriesProduct]) -> bool:
    """Whether a tile has any scene; one without ends the build, unless the recipe allows it."""
    if not scenes and not request.project.recipe.allow_blank:
        what = f"{tile}: the archive has no scene in {request.period}"
        raise InvalidInputError(f"{what}; remove its samples, or allow them by `allow_blank: true`")
    return bool(scenes)


def products(request: ProductRequest[SeriesProduct]) -> list[Product]:
    """The products of a series: one per native resolution, finest first, then the mask if it is published."""
    section, made = request.section, []
    sensor = _sensor(request)
    prefix = PREFIX if sensor.title == SENTINEL_2_L2A.title else request.key
    chosen = [sensor.bands[name] for name in section.bands or ()]
    for resolution in sorted({band.resolution for band in chosen}):
        bands = tuple(band for band in chosen if band.resolution == resolution)
        made.append(_native(prefix, resolution, bands, sensor.name_of_level))
    if section.valid:
        made.append(replace(_named(MASK, prefix, VALID), resolution=made[0].resolution))
    return made


def _sensor(request: ProductRequest[SeriesProduct]) -> Sensor:
    sensor = sensor_of(request.section, dict(request.project.recipe))
    if sensor is None:
        raise TypeError("the recipe has not been checked")
    return sensor


def _native(prefix: str, resolution: float, bands: tuple[Band, ...], title: str) -> Product:
    size = f"{resolution:g}".replace(".", "_")
    row = Product(
        key="",
        folder="",
        collection="",
        prefix="",
        kind="imagery",
        title=f"{title} acquisitions, bands of {resolution:g} m",
        resolution=int(resolution) if resolution == int(resolution) else resolution,
        cadence="acquired",
        bands=bands,
    )
    return _named(row, prefix, f"{size}m")


def _named(row: Product, prefix: str, end: str) -> Product:
    """A product with its published names."""
    folder = f"{prefix}-{end}".upper().replace("_", "-")
    own = end if end == VALID and prefix == PREFIX else f"{prefix}_{end}"
    return replace(row, key=f"{prefix}_{end}", folder=folder, collection=f"source_{prefix}_native", prefix=own)
