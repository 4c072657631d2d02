"""Queries against the published code, side by side, on 500,000 made-up samples with 45 label columns.

The peer is the published tutorial's own code on geopandas and pandas: load two resource files, filter, build addresses
in loops. Cold means a new process with the data's pages evicted, from its start to the ids. Every answer is compared
with shapely and whole numbers on all rows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from benchmarks.timing import seconds

from landloom.query.index.synthetic import synthetic_samples, write_resources

if TYPE_CHECKING:
    from landloom.query.index.synthetic import SyntheticSamples

BERLIN = (13.05, 52.35, 13.72, 52.69)
YEAR = ("2018-01-01T00:00:00Z", "2019-01-01T00:00:00Z")
FOREST = ("clc_311", "clc_312", "clc_313")
ROUNDS = 3
WARM = 101
SHORT = 5
"""Processes of ours for one of the peer's, which takes forty times as long; their median counts."""

COUNTRY = """
import numpy as np
import shapely
angle = np.linspace(0, 2 * np.pi, 1000, endpoint=False)
radius = 1 + 0.15 * np.sin(5 * angle) + 0.02 * np.sin(41 * angle)
country = shapely.Polygon(np.column_stack([10.4 + 4.4 * radius * np.cos(angle), 51.1 + 2.9 * radius * np.sin(angle)]))
"""

PEER = (
    """
import gzip, json, sys, time
from pathlib import Path
import geopandas as gpd
import pandas as pd
import shapely.geometry
folder = Path(sys.argv[1]) / "resources"
with gzip.open(folder / "rapidai4eo_geometries.geojson.gz") as fs:
    geometries = gpd.read_file(fs).set_index("sample_id")
labels = pd.read_csv(folder / "rapidai4eo_labels.csv.gz").set_index("sample_id")
mapping = pd.read_csv(folder / "rapidai4eo_label_mappings.csv").set_index("index")
def box():
    return geometries[geometries.geometry.intersects(shapely.geometry.box(13.05, 52.35, 13.72, 52.69))].index
ids = list(box())
print(len(ids), flush=True)
if sys.argv[2] == "cold":
    sys.exit()
"""
    + COUNTRY
    + """
def label():
    return labels[labels["clc_412"] > 0.8].index
def forest():
    samples = geometries[geometries.geometry.within(country)].index
    classes = mapping[mapping.clc_level2_id == 31].index.values
    shares = labels.loc[samples][classes].sum(axis=1)
    return shares[shares == 1.0].index
"""
)

OURS = (
    """
import sys, time
from pathlib import Path
from landloom.query.corpus import Corpus
corpus = Corpus.open(sys.argv[1], cache=Path(sys.argv[1]) / "cache")
def box():
    return corpus.query(region=(13.05, 52.35, 13.72, 52.69)).ids
ids = list(box()) if sys.argv[2] != "labels" else []
print(len(ids), flush=True)
if sys.argv[2] == "cold":
    sys.exit()
"""
    + COUNTRY
    + """
corpus = corpus.define(forest="clc_311 + clc_312 + clc_313")
def label():
    return corpus.query(where="clc_412 > 0.8").ids
def forest():
    return corpus.query(region=country, relation="within", where="forest = 1").ids
"""
)

TIMED = """
import json
def first(work):
    start = time.perf_counter(); work(); return time.perf_counter() - start
def warm(work, times):
    return sorted(first(work) for _ in range(times))[times // 2]
times = int(sys.argv[3])
result = {"label_first": first(label), "forest_first": first(forest)}
result |= {"box": warm(box, times), "label": warm(label, times), "forest": warm(forest, times)}
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
result["rss"] = int(peak.split()[1]) / 1024
result["ids"] = [list(box()), list(label()), list(forest())]
print(json.dumps(result))
"""


def _evict(folder: Path) -> None:
    """Ask the system to forget the pages of all files below a folder."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _run(code: str, *arguments: str) -> tuple[float, str]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "landloom-bench-pycache")
    start = time.perf_counter()
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    return time.perf_counter() - start, done.stdout


def _cold(folder: Path) -> float:
    def cold(code: str) -> float:
        _evict(folder)
        return _run(code, str(folder), "cold")[0]

    ratios = []
    for number in range(ROUNDS + 1):
        ours, peer = median(cold(OURS) for _ in range(SHORT)), cold(PEER)
        if number:  # the first round compiles modules
            ratios.append(peer / ours)
            print(f"cold: ours {ours:.3f} s, published {peer:.2f} s")
    return median(ratios)


def _truth(made: SyntheticSamples) -> list[set[str]]:
    """What the three queries must give: shapely and whole numbers on all rows."""
    import shapely

    from landloom.model.taxonomy import taxonomy

    scope: dict[str, Any] = {}
    exec(COUNTRY, scope)  # noqa: S102 - the same lines that both sides run
    shapes = shapely.polygons(made.outlines)
    index = taxonomy("clc").index
    shapely.prepare(scope["country"])
    forest = made.shares[:, [index[name.removeprefix("clc_")] for name in FOREST]].sum(axis=1) == 1_000_000
    masks = [
        shapely.intersects(shapes, shapely.box(*BERLIN)),
        made.shares[:, index["412"]] > 800_000,
        shapely.contains(scope["country"], shapes) & forest,
    ]
    ids = np.array(made.ids)
    return [set(ids[mask].tolist()) for mask in masks]


def _published_hrefs(ids: list[str], path: Path) -> None:
    """The published helper's way: a loop over samples, products and dates."""
    import pandas as pd

    base = "https://radiantearth.blob.core.windows.net/mlhub/rapidai4eo/imagery"
    start, end = (pd.to_datetime(text) for text in YEAR)
    days = pd.date_range("2018-01-03", "2019-12-29", freq="5D", tz="UTC")
    months = pd.date_range("2018-01-01", "2018-12-31", freq="ME", tz="UTC")
    steps = {
        "PF-SR": [day.strftime("%Y-%m-%d") for day in days if start < day < end],
        "S2-SR": [month.strftime("%Y-%m") for month in months if start < month < end],
    }
    hrefs = []
    for identity in ids:
        zone, tile, _row, _column = identity.split("_")
        for product, names in steps.items():
            for name in names:
                hrefs.append(f"{base}/{zone}/{tile}/{identity}/{product}/{name}.tif")  # noqa: PERF401 - as published
    path.write_text("\n".join(hrefs) + "\n")


def _hrefs(folder: Path, made: SyntheticSamples) -> float:
    from landloom.query.corpus import Corpus
    from landloom.query.index.rapidai4eo import BASE_URL

    corpus = Corpus.open(folder, cache=folder / "cache")
    chosen = corpus.select(sorted(made.ids)[:3_214])
    from dataclasses import replace

    from landloom.model.time import Period

    selection = replace(chosen, products=("pfsr", "s2"), period=Period.parse(*YEAR), base=BASE_URL)
    ids = list(selection.ids)
    ours, peer = folder / "ours.txt", folder / "published.txt"

    def write() -> None:
        selection.assets.write_list(ours, absolute=True)

    def published() -> None:
        _published_hrefs(ids, peer)

    ratios = []
    for _ in range(16):  # files that are not there yet: a file system flushes what replaces another, whoever writes it
        ours.unlink(missing_ok=True)
        peer.unlink(missing_ok=True)
        ratios.append(seconds(published) / seconds(write))
    ratio = median(ratios[1:])
    if ours.read_bytes() != peer.read_bytes() or len(selection.assets) != 273_190:
        raise AssertionError("the lists of files differ")
    return ratio


def run() -> dict[str, float]:
    """Bar name → measured ratio, or figure."""
    made = synthetic_samples()
    with tempfile.TemporaryDirectory(prefix="landloom-bench-") as name:
        folder = Path(name)
        write_resources(made, folder / "resources")
        _run(OURS, str(folder), "cold")  # builds the sidecar
        sidecar = next((folder / "cache" / "sidecars").iterdir())
        result = {"query_cold": _cold(folder), "sidecar_mb": sidecar.stat().st_size / 1e6}
        ours = json.loads(_run(OURS + TIMED, str(folder), "all", str(WARM))[1].splitlines()[-1])
        label_first = json.loads(_run(OURS + TIMED, str(folder), "labels", "1")[1].splitlines()[-1])["label_first"]
        peer = json.loads(_run(PEER + TIMED, str(folder), "all", "5")[1].splitlines()[-1])
        box, label, forest = (set(ids) for ids in ours["ids"])
        if [box, label, forest] != _truth(made):
            raise AssertionError("an answer differs from brute force")
        lost = len(forest) - len(peer["ids"][2])
        print(f"ids: {len(box)}, {len(label)}, {len(forest)}; the published sum loses {lost} of them")
        for key in ("box", "label", "forest"):
            print(f"{key}: ours {ours[key] * 1e3:.2f} ms, published {peer[key] * 1e3:.1f} ms")
        result |= {
            "query_box": peer["box"] / ours["box"],
            "query_box_ms": ours["box"] * 1e3,
            "query_label_first": peer["label_first"] / label_first,
            "query_label_ms": ours["label"] * 1e3,
            "query_country_forest": peer["forest"] / ours["forest"],
            "query_rss_mb": ours["rss"],
            "hrefs_273k": _hrefs(folder, made),
        }
    return result


if __name__ == "__main__":
    for bar, value in run().items():
        print(f"{bar:24s} {value:10.2f}")
