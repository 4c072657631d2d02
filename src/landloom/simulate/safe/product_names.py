"""Names of a simulated product and its files, in ESA's old naming convention (until 2016) and the new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from landloom.model.sensor import SENTINEL2
from landloom.model.time import parse_instant
from landloom.simulate.stac_items import generated, product_uri

if TYPE_CHECKING:
    from landloom.simulate.world import SceneSpec

_FIRST: Final = parse_instant("2016-01-01")
_STAMP: Final = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeNames:
    """Names within one product.

    Example:
        >>> from landloom.simulate.schedule import plan_scenes
        >>> from landloom.simulate.spec import world_spec
        >>> names = SafeNames(scene=plan_scenes(world_spec("tiny"))[0], level="L1C", old=True)
        >>> names.product
        'S2B_OPER_PRD_MSIL1C_PDMC_20180602T151220_R022_V20180602T101220_20180602T101220.SAFE'
        >>> names.image("B8A", 20).rpartition("/")[2]
        'S2B_OPER_MSI_L1C_TL_SIM__20180602T151220_A024947_T32UPA_B8A.jp2'
    """

    scene: SceneSpec
    """The scene of the product."""
    level: str
    """`L1C` or `L2A`."""
    old: bool
    """Whether to use the naming convention of 2015 and 2016."""

    @property
    def mission(self) -> str:
        """`S2A` or `S2B`."""
        return f"S2{self.scene.platform[-1].upper()}"

    @property
    def centre(self) -> str:
        """Processing centre in old names: ESA (`OPER`), or a user with Sen2Cor (`USER`)."""
        return "USER" if self.level == "L2A" else "OPER"

    @property
    def product(self) -> str:
        """Name of the product's folder."""
        if not self.old:
            return product_uri(self.scene, self.level)
        return f"{self.mission}_{self.centre}_PRD_MSI{self.level}_{self._tail('PDMC')}.SAFE"

    @property
    def metadata(self) -> str:
        """The product's metadata file."""
        if not self.old:
            return f"MTD_MSI{self.level}.xml"
        return f"{self.mission}_{self.centre}_MTD_SAF{self.level}_{self._tail('PDMC')}.xml"

    @property
    def absolute_orbit(self) -> int:
        """Orbit number since launch: ten days are 143 orbits."""
        return 12_341 + (self.scene.time - _FIRST) // timedelta(days=10) * 143 + self.scene.orbit

    @property
    def tile(self) -> str:
        """The full id of the granule."""
        baseline = self.scene.baseline
        return f"{self.mission}_{self.centre}_MSI_{self.level}_TL_{self._made}_T{self.scene.granule}_N{baseline}"

    @property
    def datastrip(self) -> str:
        """The datastrip's id."""
        sensed = f"S{self.scene.time:{_STAMP}}_N{self.scene.baseline}"
        return f"{self.mission}_{self.centre}_MSI_{self.level}_DS_SIM__{generated(self.scene):{_STAMP}}_{sensed}"

    @property
    def folder(self) -> str:
        """The granule's folder, relative to the product's root."""
        if self.old:
            return f"GRANULE/{self.tile}"
        scene = self.scene
        return f"GRANULE/{self.level}_T{scene.granule}_A{self.absolute_orbit:06d}_{scene.time:{_STAMP}}"

    @property
    def tile_metadata(self) -> str:
        """The granule's metadata file."""
        if not self.old:
            return f"{self.folder}/MTD_TL.xml"
        name = f"{self.mission}_{self.centre}_MTD_{self.level}_TL_{self._made}_T{self.scene.granule}.xml"
        return f"{self.folder}/{name}"

    def image(self, layer: str, resolution: int) -> str:
        """A band, or `SCL`, at a resolution in metres."""
        native = layer in SENTINEL2 and self.level == "L1C"
        stem = f"T{self.scene.granule}_{self.scene.time:{_STAMP}}_{layer}"
        if self.old:
            kind = layer if layer == "SCL" else "MSI"
            band = "" if layer == "SCL" else f"_{layer}"
            stem = f"{self.mission}_{self.centre}_{kind}_{self.level}_TL_{self._made}_T{self.scene.granule}{band}"
        if native:
            return f"{self.folder}/IMG_DATA/{stem}.jp2"
        below = "" if self.old and layer == "SCL" else f"R{resolution}m/"
        return f"{self.folder}/IMG_DATA/{below}{stem}_{resolution}m.jp2"

    def mask(self, kind: str, band: str, ending: str) -> str:
        """A mask such as `CLOUDS` of `B00`."""
        if self.old:
            head = f"{self.mission}_{self.centre}_MSK_{kind}_{self._made}_T{self.scene.granule}"
            return f"{self.folder}/QI_DATA/{head}_{band}_MSI{self.level}.{ending}"
        return f"{self.folder}/QI_DATA/MSK_{kind}_{band}.{ending}"

    @property
    def _made(self) -> str:
        return f"SIM__{generated(self.scene):{_STAMP}}_A{self.absolute_orbit:06d}"

    def _tail(self, centre: str) -> str:
        sensed = f"{self.scene.time:{_STAMP}}"
        return f"{centre}_{generated(self.scene):{_STAMP}}_R{self.scene.orbit:03d}_V{sensed}_{sensed}"
