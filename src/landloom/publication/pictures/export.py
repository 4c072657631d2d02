"""`export --to fiftyone`, `labelstudio` and `cvat`: a PNG for each sample and date, and a list to import.

Pictures are in natural colours: reflectance 0 to 0.25, brightened (`landloom.reports.figures.true_colour`), the same
for all, so that they can be compared; nodata is light grey. Beside each PNG lies GDAL's `.aux.xml` with its CRS and
transform, so that GIS programs put it where it belongs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import imagecodecs

from landloom.errors import ForeignCorpusError, InvalidInputError, InvalidValueError
from landloom.publication.pictures.lists import FOLDERS, LISTS, Picture
from landloom.query.corpus import Corpus
from landloom.query.views.pictures import coloured
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.engine.run import Listener
    from landloom.query.selection import Selection

PICTURES: Final = ("fiftyone", "labelstudio", "cvat")
"""Programs whose lists are written."""
INDEX: Final = "landloom_pictures.json"
"""What was written; marks a folder as that of an export."""
STRETCH: Final = "reflectance 0 to 0.25, brightened; the same for all pictures; nodata is light grey"


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturesReport:
    """Result of an export."""

    folder: Path
    samples: int
    pictures: int
    lists: tuple[str, ...]
    """Files that the program imports."""

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"folder": str(self.folder)}


def export_pictures(
    corpus: str,
    out: str | Path,
    to: str,
    *,
    product: str | None = None,
    split_set: str | None = None,
    listener: Listener | None = None,
) -> PicturesReport:
    """Write the samples of a corpus as pictures.

    Args:
        corpus: folder or address of the corpus, in either layout.
        out: target folder; empty, or from an earlier export, whose files are replaced.
        to: `fiftyone`, `labelstudio` or `cvat`.
        product: key; by default the first with red, green and blue.
        split_set: whose splits are written; by default those of the recipe.
        listener: receives progress.

    Raises:
        InvalidValueError: no such program.
        InvalidInputError: no product has red, green and blue.
        ForeignCorpusError: the folder contains something else.
        NotFoundError: no such corpus, product or split set.
    """
    if to not in PICTURES:
        raise InvalidValueError(f"got the program {to!r}, expected {', '.join(PICTURES)}")
    opened, folder = Corpus.open(corpus), Path(out)
    key = product or coloured(opened.info, tuple(item.key for item in opened.info.products))
    if key is None:
        raise InvalidInputError(f"{opened.name}: no product has a red, a green and a blue band")
    if folder.exists() and any(folder.iterdir()) and not (folder / INDEX).exists():
        raise ForeignCorpusError(f"{folder}: contains files of something else; choose another folder")
    store = LocalStore(folder)
    for entry in list(store.list()) if folder.exists() else []:
        store.delete(entry.key)
    store.put(INDEX, b"{}\n")
    chosen = opened.query(products=(key,), split_set=split_set)
    if listener is not None:
        listener.started("drawing samples", len(chosen))
    pictures = []
    for picture, data in _drawn(chosen, key, opened.classes, listener):
        store.put(f"{FOLDERS[to]}/{picture.name}", data)
        store.put(f"{FOLDERS[to]}/{picture.name}.aux.xml", picture.georeference())
        pictures.append(picture)
    lists = LISTS[to](f"{opened.name} {opened.version}", pictures, opened.classes)
    for name, content in lists.items():
        store.put(name, content)
    document = {"corpus": opened.name, "version": opened.version, "to": to, "product": key, "stretch": STRETCH}
    store.put(INDEX, f"{json.dumps(document | {'pictures': len(pictures)}, indent=2)}\n".encode())
    return PicturesReport(folder=folder, samples=len(chosen), pictures=len(pictures), lists=tuple(lists))


def _drawn(
    chosen: Selection, key: str, classes: dict[str, str], listener: Listener | None
) -> Iterator[tuple[Picture, bytes]]:
    """Every picture with its bytes, sample by sample; dates without a chip have none."""
    frame = chosen.to_geodataframe()
    for number, linked in enumerate(chosen.linked()):
        row = frame.iloc[number]
        series, names = chosen.rgb(linked.id, key), _timesteps(chosen, key)
        there = {asset.timestep for asset in linked.assets.get(key, ())}
        for image, name in zip(series, names, strict=True):
            if name not in there:
                continue
            place_of = image["spatial_ref"]
            height, width = image.shape[:2]
            picture = Picture(
                name=f"{linked.id}_{name}.png",
                sample=linked.id,
                timestep=name,
                datetime=f"{image['time'].values.astype('datetime64[s]')}Z",
                width=width,
                height=height,
                epsg=int(place_of),
                wkt=place_of.attrs["spatial_ref"],
                transform=tuple(float(number) for number in place_of.attrs["GeoTransform"].split()),
                footprint=row.geometry,
                split=row["split"],
                stratum=row["stratum"],
                shares={column: share for column, share in linked.fractions.items() if column in classes},
            )
            yield picture, bytes(imagecodecs.png_encode(image.values, level=6))
        if listener is not None:
            listener.advanced(linked.id, None)


def _timesteps(chosen: Selection, key: str) -> list[str]:
    return [step.name for step in chosen.sidecar.info.product(key).timesteps]
