"""Lists of pictures in the documented import formats of programs.

- FiftyOne: `GeoJSONDataset`, a folder with `data/` and `labels.json`, a feature for each picture.
- Label Studio: tasks in JSON with choices as predictions, and the configuration of the labelling interface.
- CVAT: `CVAT for images 1.1`, a folder with `images/` and `annotations.xml`, a tag for each picture.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture and what is known of it."""

    name: str
    """File name in the folder of pictures."""
    sample: str
    timestep: str
    datetime: str
    """UTC."""
    width: int
    height: int
    epsg: int
    wkt: str
    transform: tuple[float, ...]
    """GDAL's six numbers."""
    footprint: BaseGeometry
    """In WGS84."""
    split: str | None
    stratum: str | None
    shares: Mapping[str, float]
    """Column of a class → share of the area."""

    @property
    def largest(self) -> str | None:
        """Column of the class with the largest share."""
        return max(self.shares, key=lambda name: self.shares[name]) if self.shares else None

    def georeference(self) -> bytes:
        """GDAL's `.aux.xml`: CRS and transform of the PNG."""
        root = ET.Element("PAMDataset")
        ET.SubElement(root, "SRS", dataAxisToSRSAxisMapping="1,2").text = self.wkt
        ET.SubElement(root, "GeoTransform").text = ", ".join(f"{number:.16g}" for number in self.transform)
        return ET.tostring(root)

    def facts(self) -> dict[str, Any]:
        """What is known of it, as JSON values."""
        known = {"sample": self.sample, "timestep": self.timestep, "datetime": self.datetime}
        more = {"split": self.split, "stratum": self.stratum, "crs": f"EPSG:{self.epsg}"}
        return known | {name: value for name, value in more.items() if value is not None} | dict(self.shares)


def fiftyone(title: str, pictures: Sequence[Picture], classes: Mapping[str, str]) -> dict[str, bytes]:
    """`labels.json`: a GeoJSON feature for each picture, with its outline and facts."""
    features = [
        {
            "type": "Feature",
            "geometry": one.footprint.__geo_interface__,
            "properties": {"filename": one.name, **one.facts(), **_ground_truth(one, classes)},
        }
        for one in pictures
    ]
    return {"labels.json": _json({"type": "FeatureCollection", "name": title, "features": features})}


def _ground_truth(picture: Picture, classes: Mapping[str, str]) -> dict[str, str]:
    return {} if picture.largest is None else {"ground_truth": classes[picture.largest]}


def labelstudio(title: str, pictures: Sequence[Picture], classes: Mapping[str, str]) -> dict[str, bytes]:
    """`tasks.json`, with addresses of Label Studio's local storage of this folder, and `config.xml`."""
    tasks = []
    for one in pictures:
        data = {"image": f"/data/local-files/?d=data/{one.name}", **one.facts()}
        task: dict[str, Any] = {"data": data}
        if one.largest is not None:
            value = {"choices": [classes[one.largest]]}
            choice = {"from_name": "class", "to_name": "image", "type": "choices", "value": value}
            task["predictions"] = [{"model_version": title, "score": one.shares[one.largest], "result": [choice]}]
        tasks.append(task)
    view = ET.Element("View")
    ET.SubElement(view, "Image", name="image", value="$image")
    choices = ET.SubElement(view, "Choices", name="class", toName="image")
    for name in dict.fromkeys(classes[column] for one in pictures for column in one.shares):
        ET.SubElement(choices, "Choice", value=name)
    return {"tasks.json": _json(tasks), "config.xml": ET.tostring(view)}


def cvat(title: str, pictures: Sequence[Picture], classes: Mapping[str, str]) -> dict[str, bytes]:
    """`annotations.xml`: a tag with the largest class for each picture."""
    root = ET.Element("annotations")
    ET.SubElement(root, "version").text = "1.1"
    task = ET.SubElement(ET.SubElement(root, "meta"), "task")
    ET.SubElement(task, "name").text = title
    ET.SubElement(task, "size").text = str(len(pictures))
    labels = ET.SubElement(task, "labels")
    for name in dict.fromkeys(classes[column] for one in pictures for column in one.shares):
        ET.SubElement(ET.SubElement(labels, "label"), "name").text = name
    for number, one in enumerate(pictures):
        size = {"width": str(one.width), "height": str(one.height)}
        image = ET.SubElement(root, "image", {"id": str(number), "name": one.name, **size})
        if one.largest is not None:
            ET.SubElement(image, "tag", label=classes[one.largest], source="file")
    ET.indent(root)
    return {"annotations.xml": b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root)}


def _json(value: Any) -> bytes:
    return f"{json.dumps(value, indent=1, ensure_ascii=False)}\n".encode()


LISTS: Final[dict[str, Callable[[str, Sequence[Picture], Mapping[str, str]], dict[str, bytes]]]] = {
    "fiftyone": fiftyone,
    "labelstudio": labelstudio,
    "cvat": cvat,
}
"""Program → what makes its list."""
FOLDERS: Final = {"fiftyone": "data", "labelstudio": "data", "cvat": "images"}
"""Program → the folder of pictures that it looks in."""
