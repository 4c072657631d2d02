"""Small projects that several tests build: windows over one place of the tiny world, and chips of two granules."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, Final

import geopandas
import numpy as np
import shapely
import shapely.affinity
import yaml

from landloom.corpus.audit.validate import digest
from landloom.engine.project import Project
from landloom.pipelines.demos.landcovernet import demo_spec
from landloom.pipelines.registry import Recipe
from landloom.pipelines.starters import write_starter
from landloom.simulate.spec import world_spec
from landloom.store.open import open_store

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.simulate.spec import WorldSpec

TERMS: Final = {"licence": "CC0-1.0", "attribution": "nobody"}
SERIES: Final = """
name: series
version: "1.0"
region: {file: region.geojson}
period: {start: 2018-06-01, end: 2018-08-01}
samples: {draw: windows, size: 24}
archive: {kind: static, href: ARCHIVE/catalog.json}
products:
  s2_native: {kind: series, terms: {licence: CC0-1.0, attribution: nobody}}
parcels:
  file: parcels.gpkg
  columns: {ground_truth: crop}
  invalid: repair
  terms: {licence: CC0-1.0, attribution: nobody}
layouts: [chips, cubes]
publication: {title: t, description: d}
"""
"""A recipe of windows with native series and parcels."""
EAST: Final = world_spec("tiny").place("east")
"""The place that it is about, which two granules of two zones show."""
SIDE: Final = 96
"""Pixels of a side of a granule's chips."""


def write_series(folder: Path, archive: Path, **changes: Any) -> Path:
    """The recipe of windows in a folder, with its region and parcels; sections are changed key by key."""
    document = yaml.safe_load(SERIES.replace("ARCHIVE", str(archive)))
    for key, value in changes.items():
        document[key] = document[key] | value if isinstance(value, dict) else value
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    west, south, east, north = EAST.bounds
    box = shapely.box(west + 60, south + 60, east - 60, north - 60)
    geopandas.GeoDataFrame(geometry=[box], crs=EAST.epsg).to_crs(4326).to_file(folder / "region.geojson")
    fields().to_file(folder / "parcels.gpkg")
    return folder


def fields() -> geopandas.GeoDataFrame:
    """Turned rectangles that overlap here and there and reach beyond the region, in another CRS, ids over 2^24."""
    rng = np.random.default_rng(8)
    west, south, east, north = EAST.bounds
    shapes = []
    for x, y, length, width, turn in rng.uniform(
        (west, south, 60, 30, 0), (east, north, 300, 150, 180), (40, 5)
    ).tolist():
        shapes.append(shapely.affinity.rotate(shapely.box(x, y, x + length, y + width), turn))
    crops = np.array(["maize", "meadow", "wheat"])[rng.integers(0, 3, 40)]
    frame = geopandas.GeoDataFrame({"id": np.arange(40) + 2**24 + 1, "crop": crops}, geometry=shapes, crs=EAST.epsg)
    return frame.to_crs(3035)


def two_years(folder: Path) -> geopandas.GeoDataFrame:
    """The same fields in two years, with the same ids and other crops; some of a third year."""
    first = fields().assign(year=2017)
    crops = {"maize": "wheat", "wheat": "meadow", "meadow": "rye"}
    second = first.assign(crop=first["crop"].map(crops), year=2018)
    third = first.head(3).assign(year=2016, crop="lost")
    frame = geopandas.pd.concat([first, second, third])
    frame.to_file(folder / "parcels.gpkg")
    return frame


def granule_world() -> WorldSpec:
    """Windows of 3 km in two granules, every 24 days."""
    return demo_spec(pixels=300, step=24)


def write_granules(folder: Path, archive: Path, **changes: Any) -> dict[str, Any]:
    """A recipe of three chips in each of two granules, with guess labels; sections are changed key by key."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "archive").symlink_to(archive)
    write_starter("demo-landcovernet", folder / "landloom.yaml")
    recipe: dict[str, Any] = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
    recipe["name"] = "small"
    recipe["samples"] |= {"chips": 3, "size": SIDE}
    recipe["scenes"]["policy"] = "monthly + 2"
    recipe["guess"] |= {"trees": 12, "buffer": 6, "least": 30}
    for section, values in changes.items():
        recipe[section] |= values
    (folder / "landloom.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return recipe


def project_of(folder: Path, starter: str = "demo", **changes: Any) -> Project:
    """A recipe that comes with landloom, changed section by section, in a folder that need not hold its inputs."""
    write_starter(starter, folder / f"{starter}.yaml")
    document = yaml.safe_load((folder / f"{starter}.yaml").read_text(encoding="utf-8"))
    (folder / f"{starter}.yaml").unlink()
    return Project(recipe=Recipe.parse(document | changes), folder=folder)


def digest_of(corpus: Path) -> str:
    """One hash over all that a corpus publishes."""
    return digest(open_store(str(corpus)))


def load(path: Path) -> Any:
    """What a pickle of ours holds."""
    return pickle.loads(path.read_bytes())
