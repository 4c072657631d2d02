"""Where the usable pixels of scenes are known from: one section for all products."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from landloom.model.recipe.sections import Section, Share, is_none


class MaskSection(Section):
    """A source of usable pixels. Of several, all have to leave a pixel usable."""

    source: Literal["scl", "fmask", "qa_pixel", "band", "csmask"]
    """`scl` (Sentinel-2), `fmask` (HLS), `qa_pixel` (Landsat), `band` (the mask of a described sensor, or any band), or
    `csmask` (a neural network; needs the extra `csmask`). It is used for the sensors that have it."""
    band: Annotated[str | None, Field(exclude_if=is_none)] = None
    """Only for `band`: its name; the mask of the described sensor if absent."""
    clear: Annotated[tuple[int | str, ...] | None, Field(exclude_if=is_none)] = None
    """What counts as usable, by numbers or words: classes (`vegetation`, `4`), or flags that leave a pixel usable
    (`snow`, `water`, `dilated-cloud`, `adjacent`); that of the sensor if absent."""
    dilate: Annotated[int | None, Field(ge=0, le=50, exclude_if=is_none)] = None
    """Dilation of unusable areas in pixels of the mask, which are of 30 m for `csmask`; that of the product if
    absent."""
    least_clear: Share = 0.0
    """Scenes with a smaller share of usable pixels are left out by name: among all pixels of the scene with data,
    sampled at up to 512 x 512, before unusable areas grow."""

    @model_validator(mode="after")
    def _own(self) -> Self:
        if self.band is not None and self.source != "band":
            raise ValueError(f"got a band of {self.source}, which has its own")
        if self.source == "csmask" and (self.clear is not None or self.least_clear):
            raise ValueError("got clear or least_clear of csmask, which has neither")
        return self


def _listed(value: object) -> object:
    return (value,) if isinstance(value, dict | MaskSection) else value


def _is_empty(value: object) -> bool:
    return not value


Masks = Annotated[tuple[MaskSection, ...], BeforeValidator(_listed), Field(exclude_if=_is_empty)]
"""One mask, or several."""
