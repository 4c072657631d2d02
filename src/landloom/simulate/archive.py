"""Write a simulated world as a real archive: Cloud-Optimised GeoTIFFs, STAC documents, label layers and the truth.

```
catalog.json                                   STAC, static
sentinel-2-l2a/collection.json
sentinel-2-l2a/ID/ID.json, B01.tif … SCL.tif   a scene
landcover.gpkg                                 the land cover as CORINE-like polygons
landcover_3035.tif, landcover_3035_grid.tif    the same as 100 m rasters: codes 111 …, and grid codes 1 to 44
countries.geojson, region.geojson, parcels.gpkg
truth/landcover_PLACE.tif                      the land cover of each place at 10 m
truth/truth.json                               written last: the spec, from which `World` recomputes everything
```
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.formats.geotiff import encode_cog
from landloom.simulate.label_files import label_files
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.spec import BANDS, Place, View, WorldSpec, world_spec
from landloom.simulate.stac_items import (
    COLLECTION,
    FileFacts,
    catalog_document,
    collection_document,
    item_document,
    scene_footprint,
)
from landloom.simulate.world import World
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from landloom.simulate.world import SceneSpec
    from landloom.store.protocol import Store

TRUTH: Final = "truth/truth.json"
"""Key of the file that marks an archive as complete."""
FORMAT: Final = 2
"""Incremented whenever the same spec gives other bytes."""
_CUT: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveReport:
    """Summary of what was written."""

    spec: WorldSpec
    """Name of the world."""
    scenes: int
    """Number of STAC items."""
    files: int
    """Number of files without `truth/truth.json`."""
    bytes: int
    """Their total size in bytes."""
    digest: str
    """SHA-256 over the names and digests of all files: equal digests mean equal bytes."""
    special: dict[str, tuple[str, ...]]
    """Flag → ids of the scenes with it, such as `truncated`."""


def simulate_archive(
    spec: WorldSpec | str,
    where: Store | str | Path,
    *,
    pool: Callable[[], AbstractContextManager[Executor]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ArchiveReport:
    """Write the archive of a world; the same spec gives the same bytes with any number of workers.

    An existing archive of the same spec is left unchanged.

    Args:
        spec: a world, or the name of a preset.
        where: a store, or a folder, which is created if missing.
        pool: makes the executor that renders scenes; by default this process.
        progress: called with the number of finished scenes and the total.

    Raises:
        InvalidInputError: the folder contains the archive of another world.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from dataclasses import replace
        >>> tiny = world_spec("tiny")
        >>> with TemporaryDirectory() as folder:
        ...     report = simulate_archive(replace(tiny, views=tiny.views[1:2]), folder)
        >>> report.scenes
        4
    """
    spec = world_spec(spec) if isinstance(spec, str) else spec
    store: Store = LocalStore(Path(where)) if isinstance(where, str | Path) else where
    if store.exists(TRUTH):
        return _existing(spec, store)
    scenes = plan_scenes(spec)
    digests: dict[str, tuple[str, int]] = {}

    def put(files: Iterable[tuple[str, bytes]]) -> None:
        for key, data in files:
            store.put(key, data)
            digests[key] = sha256(data).hexdigest(), len(data)

    with nullcontext() if pool is None else pool() as executor:
        mapped: Callable[..., Iterable[list[tuple[str, bytes]]]] = map if executor is None else executor.map
        for done, files in enumerate(mapped(partial(scene_files, spec), scenes), start=1):
            put(files)
            if progress is not None:
                progress(done, len(scenes))
    put(label_files(spec))
    boxes = [(scene, [round(v, 9) for v in scene_footprint(scene).bounds]) for scene in scenes]
    put(
        [
            (f"{COLLECTION}/collection.json", _json(collection_document(boxes))),
            ("catalog.json", _json(catalog_document())),
        ]
    )
    report = _report(spec, scenes, digests)
    store.put(TRUTH, _json(_truth(report, scenes)))
    return report


def spec_of(where: Store | str | Path) -> WorldSpec:
    """The spec of an archive, from its truth: `World(spec_of(folder))` can compute everything about it.

    Raises:
        MissingKeyError: there is no simulated archive.
    """
    store: Store = LocalStore(Path(where)) if isinstance(where, str | Path) else where
    return _spec(json.loads(store.get(TRUTH))["spec"])


def scene_files(spec: WorldSpec, scene: SceneSpec) -> list[tuple[str, bytes]]:
    """The files of a scene: key and bytes, with the item last."""
    layers = World(spec).render(scene)
    folder = f"{COLLECTION}/{scene.id}"
    files, facts = [], {}
    for band in (*BANDS, "SCL"):
        array = layers[band]
        resolution = (scene.grid.east - scene.grid.west) / array.shape[1]
        # Noise does not compress: the fastest level gives the smallest files.
        data = encode_cog(array, scene.grid.at(resolution), nodata=0, block=256, overviews=False, level=1)
        facts[band] = FileFacts(size=len(data), checksum=f"1220{sha256(data).hexdigest()}")
        if band == "B11" and "truncated" in scene.flags:
            data = data[: int(len(data) * _CUT)]
        files.append((f"{folder}/{band}.tif", data))
    files.append((f"{folder}/{scene.id}.json", _json(item_document(scene, layers["SCL"].astype(np.uint8), facts))))
    return files


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _report(spec: WorldSpec, scenes: tuple[SceneSpec, ...], digests: dict[str, tuple[str, int]]) -> ArchiveReport:
    whole = sha256("".join(f"{key} {digests[key][0]}\n" for key in sorted(digests)).encode())
    flags = sorted({flag for scene in scenes for flag in scene.flags})
    return ArchiveReport(
        spec=spec,
        scenes=len(scenes),
        files=len(digests),
        bytes=sum(size for _, size in digests.values()),
        digest=whole.hexdigest(),
        special={flag: tuple(scene.id for scene in scenes if flag in scene.flags) for flag in flags},
    )


def _truth(report: ArchiveReport, scenes: tuple[SceneSpec, ...]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "scenes": report.scenes,
        "files": report.files,
        "bytes": report.bytes,
        "digest": report.digest,
        "special": report.special,
        "spec": asdict(report.spec),
        "covers": {scene.id: round(scene.cover, 6) for scene in scenes},
    }


def _existing(spec: WorldSpec, store: Store) -> ArchiveReport:
    truth = json.loads(store.get(TRUTH))
    if truth.get("format") != FORMAT or _spec(truth["spec"]) != spec:
        raise InvalidInputError(
            f"got {store.uri}, which holds the archive of another world; expected an empty folder, or one of "
            f"{spec.name!r} with seed {spec.seed}: remove it, or simulate elsewhere"
        )
    special = {flag: tuple(ids) for flag, ids in truth["special"].items()}
    numbers = {name: truth[name] for name in ("scenes", "files", "bytes", "digest")}
    return ArchiveReport(spec=spec, special=special, **numbers)


def _spec(document: dict[str, Any]) -> WorldSpec:
    values = dict(document)
    values["places"] = tuple(Place(**{**p, "bounds": tuple(p["bounds"])}) for p in values["places"])
    values["views"] = tuple(View(**{**v, "corner": tuple(v["corner"])}) for v in values["views"])
    values["field"], values["noise"] = tuple(values["field"]), tuple(values["noise"])
    return WorldSpec(**values)
