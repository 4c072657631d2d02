"""A sensor that a recipe describes itself: its bands, how their numbers become reflectance, and its mask."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BeforeValidator, Field, model_validator

from landloom.model.recipe.sections import Name, Section
from landloom.model.sensor import Band, Classification, Conversion, Sensor

BandName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class BandSection(Section):
    """One band of a described sensor; a name alone stands for a band with all defaults."""

    name: BandName
    """Its name."""
    file: str | None = None
    """What stands for it in file names, its variable in a cube, or its asset; its own name if absent."""
    number: Annotated[int | None, Field(ge=1)] = None
    """Its number in a file of several bands."""
    resolution: Annotated[float | None, Field(gt=0)] = None
    """Pixel size in metres; that of the sensor if absent."""
    common_name: str | None = None
    """`blue`, `green`, `red`, `nir`, …: needed by products that choose bands by colour."""
    wavelength: Annotated[float | None, Field(gt=0)] = None
    """Centre wavelength in micrometres."""
    description: str | None = None
    """Short description; the name if absent."""


class SensorMaskSection(Section):
    """The layer of a described sensor that marks usable pixels."""

    name: BandName
    """Its name."""
    file: str | None = None
    """What stands for it in file names, its variable in a cube, or its asset; its own name if absent."""
    number: Annotated[int | None, Field(ge=1)] = None
    """Its number in a file of several bands."""
    resolution: Annotated[float | None, Field(gt=0)] = None
    """Pixel size in metres; that of the sensor if absent."""
    clear: tuple[Annotated[int, Field(ge=0, le=65_534)], ...] = ()
    """Values of usable pixels, for a layer of classes."""
    cloudy: tuple[Annotated[int, Field(ge=0, le=65_534)], ...] = ()
    """Values of unusable pixels; values in neither list are then unknown: not usable, and named. If absent, all other
    values are unusable."""
    bits: tuple[Annotated[int, Field(ge=0, le=15)], ...] = ()
    """Bits, counted from 0, any of which makes a pixel unusable, for a layer of bits."""
    nodata: Annotated[int | None, Field(ge=0, le=65_535)] = None
    """Value without data, if the file does not declare it."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.clear) == bool(self.bits):
            raise ValueError("expected either clear, for classes, or bits")
        if self.bits and self.cloudy:
            raise ValueError("got cloudy, which is for classes, with bits")
        if both := sorted({*self.clear} & {*self.cloudy}):
            raise ValueError(f"got {', '.join(map(str, both))} as clear and as cloudy")
        return self

    def layer(self, resolution: float) -> Classification:
        """The layer and the meaning of its values."""
        words = dict.fromkeys(self.clear, "clear") | dict.fromkeys(self.cloudy, "cloud")
        return Classification(
            name=self.name,
            resolution=self.resolution or resolution,
            clear=frozenset(self.clear),
            blocked=sum(1 << bit for bit in {*self.bits}),
            nodata=self.nodata,
            words=words if self.cloudy else {bit: f"bit-{bit}" for bit in self.bits},
            zero=True,
        )


class SensorSection(Section):
    """A sensor that landloom does not know."""

    name: Name
    """Its name."""
    title: str | None = None
    """Its name for people; the name if absent."""
    resolution: Annotated[float, Field(gt=0)]
    """Pixel size of its bands in metres."""
    bands: Annotated[tuple[Annotated[BandSection, BeforeValidator(_named)], ...], Field(min_length=1)]
    """Its bands, in the order of a file that holds them all; the mask is the last one."""
    scale: Annotated[float | None, Field(gt=0)] = None
    """Reflectance = scale × number + offset. If absent, as the files declare; else numbers are 10,000 × reflectance, or
    reflectance if they are floating ones."""
    offset: float = 0.0
    """See `scale`."""
    nodata: float | None = None
    """Number without an observation, if the files do not declare it; 0 never is an observation."""
    mask: SensorMaskSection | None = None
    """Layer that marks usable pixels; if absent, all pixels with data are usable."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.offset and self.scale is None:
            raise ValueError("got an offset without a scale")
        names = [one.name for one in self._layers()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"got the name {twice[0]} twice, expected distinct names of bands and mask")
        places = [(file, number) for file, number in self._stored().values() if number is not None]
        numbers = sorted({number for file, number in places if places.count((file, number)) > 1})
        if numbers:
            raise ValueError(f"got the number {numbers[0]} of a file twice")
        return self

    def _layers(self) -> list[BandSection | SensorMaskSection]:
        return [*self.bands, *([] if self.mask is None else [self.mask])]

    def _stored(self) -> dict[str, tuple[str, int | None]]:
        return {one.name: (one.file or one.name, one.number) for one in self._layers()}

    @property
    def sensor(self) -> Sensor:
        """The sensor as described."""
        return Sensor(
            name=self.name,
            title=self.title or self.name,
            platforms=(),
            instrument="",
            level="L2",
            bands={
                band.name: Band(
                    name=band.name,
                    description=band.description or band.name,
                    resolution=band.resolution or self.resolution,
                    common_name=band.common_name,
                    wavelength=band.wavelength,
                )
                for band in self.bands
            },
            classification=None if self.mask is None else self.mask.layer(self.resolution),
            conversion=None if self.scale is None else Conversion(scale=self.scale, offset=self.offset),
            nodata=self.nodata or 0,
            saturated=None,
            stored=self._stored(),
        )
