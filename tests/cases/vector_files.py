"""One small table of parcels in every form of file that is read, and a web server that wants a signature."""

from __future__ import annotations

import gzip
import http.server
import json
import threading
import zipfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import geopandas
import pyogrio
import shapely

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

WEST, SOUTH = 500_000, 5_800_000
"""Of the grid of 10 × 6 pixels of 10 m, in EPSG:32633, on which three parcels cover six pixels each."""
GRID = ("--bounds", WEST, SOUTH, WEST + 100, SOUTH + 60, "--crs", "EPSG:32633")
IDS = (9_007_199_254_740_993, 9_007_199_254_740_995, 5)
"""Two of them no float holds."""
CROPS = ("Mähweide", "0513", "wheat")


def parcels(crs: Any = 32633) -> geopandas.GeoDataFrame:
    """Three parcels of 20 m by 30 m."""
    shapes = [shapely.box(WEST + 30 * i, SOUTH + 10, WEST + 30 * i + 20, SOUTH + 40) for i in range(3)]
    frame = geopandas.GeoDataFrame({"id": IDS, "crop": CROPS}, geometry=shapes, crs=32633)
    return frame if crs == 32633 else frame.to_crs(crs)


def _gdal(suffix: str, driver: str) -> Callable[[geopandas.GeoDataFrame, Path], Path]:
    def write(frame: geopandas.GeoDataFrame, folder: Path) -> Path:
        path = folder / f"p.{suffix}"
        options = {"encoding": "UTF-8"} if suffix == "shp" else {}
        if suffix == "geojsonl":
            frame = frame.to_crs(4326)
        pyogrio.write_dataframe(frame, path, driver=driver, **options)
        return path

    return write


def _parquet(frame: geopandas.GeoDataFrame, folder: Path) -> Path:
    frame.rename_geometry("geom").to_parquet(folder / "p.parquet")
    return folder / "p.parquet"


def _csv(frame: geopandas.GeoDataFrame, folder: Path) -> Path:
    table = frame.drop(columns="geometry").assign(WKT=frame.geometry.to_wkt(), crs=frame.crs.to_string())
    table.to_csv(folder / "p.csv", index=False)
    return folder / "p.csv"


def _kml(frame: geopandas.GeoDataFrame, folder: Path) -> Path:
    """Ids as KML has them: of the placemarks."""
    marks = [
        f'<Placemark id="{row.id}"><ExtendedData><Data name="crop"><value>{row.crop}</value></Data></ExtendedData>'
        "<Polygon><outerBoundaryIs><LinearRing><coordinates>"
        + " ".join(f"{x!r},{y!r},0" for x, y in row.geometry.exterior.coords)
        + "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        for row in frame.to_crs(4326).itertuples()
    ]
    head = '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document id="d">'
    (folder / "p.kml").write_text(f"{head}{''.join(marks)}</Document></kml>", encoding="utf-8")
    return folder / "p.kml"


def _topojson(frame: geopandas.GeoDataFrame, folder: Path) -> Path:
    frame = frame.to_crs(4326)
    arcs = [[list(point) for point in shape.exterior.coords] for shape in frame.geometry]
    geometries = [
        {"type": "Polygon", "arcs": [[place]], "properties": {"id": int(row.id), "crop": row.crop}}
        for place, row in enumerate(frame.itertuples())
    ]
    objects = {"fields": {"type": "GeometryCollection", "geometries": geometries}}
    path = folder / "p.topojson"
    path.write_text(json.dumps({"type": "Topology", "objects": objects, "arcs": arcs}), encoding="utf-8")
    return path


def _zip(frame: geopandas.GeoDataFrame, folder: Path) -> Path:
    (folder / "shapes").mkdir()
    _gdal("shp", "ESRI Shapefile")(frame, folder / "shapes")
    with zipfile.ZipFile(folder / "p.zip", "w") as archive:
        for part in sorted((folder / "shapes").iterdir()):
            archive.write(part, f"delivery/2018/{part.name}")
        archive.writestr("__MACOSX/delivery/2018/._p.shp", "nothing")
        archive.writestr("delivery/readme.txt", "for you")
    return folder / "p.zip"


def _gzip(frame: geopandas.GeoDataFrame, folder: Path) -> Path:
    plain = _gdal("geojson", "GeoJSON")(frame, folder)
    (folder / "p.geojson.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    return folder / "p.geojson.gz"


FORMS: Mapping[str, Callable[[geopandas.GeoDataFrame, Path], Path]] = {
    "gpkg": _gdal("gpkg", "GPKG"),
    "fgb": _gdal("fgb", "FlatGeobuf"),
    "shp": _gdal("shp", "ESRI Shapefile"),
    "geojson": _gdal("geojson", "GeoJSON"),
    "geojsonl": _gdal("geojsonl", "GeoJSONSeq"),
    "kml": _kml,
    "topojson": _topojson,
    "parquet": _parquet,
    "csv": _csv,
    "zip": _zip,
    "geojson.gz": _gzip,
}
"""Form → writes a frame into a folder."""


@contextmanager
def signed_server(folder: Path) -> Iterator[str]:
    """Serve a folder to those who sign; answers whole files only. Yields the address without a slash."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            file = folder / parts.path.lstrip("/")
            status = 403 if "sig=a%2Fb" not in parts.query else 200 if file.is_file() else 404
            body = file.read_bytes() if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{hash(body)}"')
            self.end_headers()
            self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
