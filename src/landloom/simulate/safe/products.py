"""Small complete SAFE products of a simulated world, as folders or as the zip files of providers.

```
S2A_MSIL2A_20180103T103212_N0207_R022_T32UPA_20180103T153212.SAFE/    or the same name .zip
  MTD_MSIL2A.xml, manifest.safe
  DATASTRIP/…/MTD_DS.xml
  GRANULE/L2A_T32UPA_A012345_20180103T103212/
    MTD_TL.xml
    IMG_DATA/R10m/T32UPA_20180103T103212_B02_10m.jp2, …
    QI_DATA/MSK_CLASSI_B00.jp2, …                                     Level-1C; MSK_CLOUDS_B00.gml before 04.00
truth/truth.json                                                      written last: the spec
```

Unlike in a real product, the images and the geoposition in the metadata are those of the scene's window, not of the
whole granule: products stay small and are georeferenced correctly. There are no AOT, WVP and TCI images, and coarser
copies only of B04. Level-1C has the values of Level-2A, because this world has no atmosphere, and cirrus in B10.
"""

from __future__ import annotations

import json
import zipfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from hashlib import sha256
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.formats.safe.names import mask_name
from landloom.model.sensor import SENTINEL2
from landloom.simulate.label_files import label_files
from landloom.simulate.safe import metadata as documents
from landloom.simulate.safe.images import (
    cloud_classes,
    cloud_polygons,
    encode_jp2,
    level_1c,
    quality_layers,
    resampled,
)
from landloom.simulate.safe.product_names import SafeNames
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import WorldSpec, world_spec
from landloom.simulate.world import World
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from landloom.simulate.world import SceneSpec

TRUTH: Final = "truth/truth.json"
"""The file that marks an archive as complete."""
FORMAT: Final = 1
"""Incremented whenever the same spec gives other bytes."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_CUT: Final = 0.6
_OFFSET: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeForm:
    """Form of the products."""

    level: str = "L2A"
    """`L1C` or `L2A`."""
    old: bool = False
    """Old naming convention, for scenes before baseline 04.00; later ones always have new names."""
    zipped: bool = False
    """One zip file per product instead of a folder."""

    def __post_init__(self) -> None:
        if self.level not in ("L1C", "L2A"):
            raise InvalidInputError(f"got level {self.level!r}, expected L1C or L2A")


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeReport:
    """Summary of what was written."""

    products: tuple[str, ...]
    """Folders or zip files, by name, in the order of the scenes."""
    scenes: tuple[SceneSpec, ...]
    """Scene of each product; offsets as in the pixels."""
    digest: str
    """SHA-256 over the names and digests of all files of products."""


def simulate_safe_archive(
    spec: WorldSpec | str,
    folder: str | Path,
    form: SafeForm | None = None,
    *,
    scenes: Sequence[SceneSpec] | None = None,
    labels: bool = True,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> SafeReport:
    """Write the scenes of a world as SAFE products; the same spec gives the same bytes with any number of workers.

    Args:
        spec: a world, or the name of a preset.
        folder: created if missing; a finished archive with the same arguments is left unchanged.
        form: level, naming, folder or zip.
        scenes: some of `plan_scenes(spec)`; by default all. A scene flagged `truncated` gets a truncated B11.
        labels: also write the label layers (land cover, parcels, countries, region).
        workers: processes that render scenes; 1 renders in this one.
        progress: called with the number of finished scenes and the total.

    Raises:
        InvalidInputError: the folder contains another archive.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> scenes = plan_scenes(world_spec("tiny"))[:1]
        >>> with TemporaryDirectory() as folder:
        ...     report = simulate_safe_archive("tiny", folder, SafeForm(zipped=True), scenes=scenes, labels=False)
        >>> report.products
        ('S2B_MSIL2A_20180602T101220_N0207_R022_T32UPA_20180602T151220.zip',)
    """
    spec = world_spec(spec) if isinstance(spec, str) else spec
    form = form or SafeForm()
    store = LocalStore(Path(folder))
    wanted = tuple(as_delivered(scene) for scene in (plan_scenes(spec) if scenes is None else scenes))
    truth = {
        "format": FORMAT,
        "spec": asdict(spec),
        "form": asdict(form),
        "scenes": [scene.id for scene in wanted],
        "labels": labels,
    }
    if store.exists(TRUTH):
        return _existing(store, truth, wanted, form)
    products, digests = [], {}
    with _mapping(workers) as mapped:
        for done, (name, files) in enumerate(mapped(partial(_delivered, spec, form), wanted), start=1):
            products.append(name)
            for key, data in files:
                store.put(key, data)
                digests[key] = sha256(data).hexdigest()
            if progress is not None:
                progress(done, len(wanted))
    for key, data in label_files(spec) if labels else ():
        store.put(key, data)
    digest = sha256("".join(f"{key} {digests[key]}\n" for key in sorted(digests)).encode()).hexdigest()
    store.put(TRUTH, (json.dumps(truth | {"digest": digest}, indent=1) + "\n").encode())
    return SafeReport(products=tuple(products), scenes=wanted, digest=digest)


def as_delivered(scene: SceneSpec) -> SceneSpec:
    """A scene as delivered by ESA: the offset, present from baseline 04.00 on, has not been applied."""
    return replace(scene, applied=False, offset=_OFFSET if scene.baseline >= "04" else 0)


def product_files(spec: WorldSpec, scene: SceneSpec, form: SafeForm) -> list[tuple[str, bytes]]:
    """The files of a product: path from its root and bytes.

    Args:
        spec: spec of the world.
        scene: from `as_delivered`.
        form: form of the product; `zipped` is ignored here.
    """
    names = _names(scene, form)
    layers = World(spec).render(scene)
    scl = layers["SCL"].astype(np.uint8)
    images, masks = _images(names, layers), _masks(names, layers)
    shares = documents.shares_of(scene, scl)
    listed = {_mask_key(path): path for path, _ in masks}
    files = [
        (names.metadata, documents.product_document(names, [path for path, _ in images], shares)),
        (names.tile_metadata, documents.tile_document(names, listed, shares)),
        (f"DATASTRIP/{names.datastrip}/MTD_DS.xml", documents.datastrip_document(names)),
        *images,
        *masks,
    ]
    files.append(("manifest.safe", documents.manifest_document(files)))
    if "truncated" in scene.flags:
        files = [(path, data[: int(len(data) * _CUT)] if "_B11" in path else data) for path, data in files]
    return files


def zipped(product: str, files: Iterable[tuple[str, bytes]]) -> bytes:
    """A product as served by providers: its folder in a zip file; without time stamps, so that bytes are reproducible.

    Example:
        >>> data = zipped("X.SAFE", [("MTD_MSIL2A.xml", b"<a/>")])
        >>> zipfile.ZipFile(BytesIO(data)).namelist()
        ['X.SAFE/MTD_MSIL2A.xml']
    """
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in files:
            kind = zipfile.ZIP_STORED if path.endswith(".jp2") else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(f"{product}/{path}", _EPOCH), data, compress_type=kind)
    return target.getvalue()


def _delivered(spec: WorldSpec, form: SafeForm, scene: SceneSpec) -> tuple[str, list[tuple[str, bytes]]]:
    product, files = _names(scene, form).product, product_files(spec, scene, form)
    if form.zipped:
        name = product.removesuffix(".SAFE") + ".zip"
        return name, [(name, zipped(product, files))]
    return product, [(f"{product}/{path}", data) for path, data in files]


def _names(scene: SceneSpec, form: SafeForm) -> SafeNames:
    return SafeNames(scene=scene, level=form.level, old=form.old and scene.baseline < "04")


def _images(names: SafeNames, layers: dict[str, Any]) -> list[tuple[str, bytes]]:
    grid, files = names.scene.grid, []
    if names.level == "L1C":
        for band, array in level_1c(layers, names.scene.offset).items():
            metres = int(SENTINEL2[band].resolution)
            files.append((names.image(band, metres), encode_jp2(array, grid.at(metres))))
        return files
    for metres in (10, 20, 60):
        for layer, array in _at(layers, metres, finer=names.scene.baseline >= "04").items():
            files.append((names.image(layer, metres), encode_jp2(array, grid.at(metres))))
    return files


def _at(layers: dict[str, Any], metres: int, *, finer: bool) -> dict[str, NDArray[Any]]:
    """Images of Level-2A at a resolution: native bands, coarser copies (only of B04), later also B01 at 20 m."""
    shown: dict[str, NDArray[Any]] = {}
    for layer, array in layers.items():
        native = 20 if layer == "SCL" else int(SENTINEL2[layer].resolution)
        if layer == "SCL" and metres == 60:
            shown[layer] = array[1::3, 1::3]
        elif native == metres:
            shown[layer] = array
        elif (native < metres and layer == "B04") or (finer and layer == "B01" and metres == 20):
            shown[layer] = resampled(array, metres / native)
    return shown


def _masks(names: SafeNames, layers: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Masks of Level-1C: rasters from baseline 04.00 on, polygons before."""
    if names.level == "L2A":
        return []
    grid = names.scene.grid
    classes = cloud_classes(layers["SCL"])
    if names.scene.baseline < "04":
        polygons = cloud_polygons(classes, grid.at(60))
        return [(names.mask("CLOUDS", "B00", "gml"), documents.clouds_document(names, polygons))]
    files = [(names.mask("CLASSI", "B00", "jp2"), encode_jp2(classes, grid.at(60)))]
    encoded: dict[bytes, bytes] = {}
    for band, array in level_1c(layers, names.scene.offset).items():
        quality = quality_layers(array)
        data = encoded.get(quality.tobytes())
        if data is None:  # bands of one resolution do not have data in the same area
            data = encoded[quality.tobytes()] = encode_jp2(quality, grid.at(SENTINEL2[band].resolution))
        files.append((names.mask("QUALIT", band, "jp2"), data))
    return files


def _mask_key(path: str) -> str:
    found = mask_name(path)
    return found[1] if found else path


@contextmanager
def _mapping(workers: int) -> Iterator[Callable[..., Iterable[Any]]]:
    if workers <= 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("forkserver")) as pool:
        yield pool.map


def _existing(store: LocalStore, truth: dict[str, Any], scenes: tuple[SceneSpec, ...], form: SafeForm) -> SafeReport:
    held = json.loads(store.get(TRUTH))
    if {key: held.get(key) for key in truth} != json.loads(json.dumps(truth)):
        raise InvalidInputError(
            f"got {store.uri}, which holds another archive; expected an empty folder: remove it, or simulate elsewhere"
        )
    names = [_names(scene, form).product for scene in scenes]
    products = tuple(name.removesuffix(".SAFE") + ".zip" if form.zipped else name for name in names)
    return SafeReport(products=products, scenes=scenes, digest=held["digest"])
