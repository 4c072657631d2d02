"""One driver, told by the first bytes, opens a file; GDAL never chooses."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from landloom.errors import FaultError, PermanentFaultError, TransientFaultError
from landloom.store.drivers import local_driver, remote_driver
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from tests.web import FaultyServer

HOSTILE = {
    "vrt": '<VRTDataset rasterXSize="9" rasterYSize="9"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
    "<SourceFilename>{target}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
    "mrf": '<MRF_META><Raster><Size x="9" y="9"/><DataFile>{target}</DataFile></Raster></MRF_META>',
    "wms": "<GDAL_WMS><Service name='TMS'><ServerUrl>file://{target}</ServerUrl></Service></GDAL_WMS>",
    "png": "\x89PNG\r\n\x1a\n{target}",
    "nitf": "NITF02.10{target}",
    "hdf": "\x89HDF\r\n\x1a\n{target}",
    "zip": "PK\x03\x04{target}",
}


@pytest.mark.parametrize("place", ["local", "remote"])
@pytest.mark.parametrize("form", HOSTILE)
def test_no_driver_but_those_of_scenes_opens_a_file(
    faulty: FaultyServer, tmp_path: Path, form: str, place: str
) -> None:
    target = tmp_path / "target"
    (tmp_path / "B04.tif").write_bytes(HOSTILE[form].format(target=target).encode("latin-1"))
    href = f"{faulty.address}/B04.tif" if place == "remote" else str(tmp_path / "B04.tif")
    with pytest.raises(FaultError, match=r"B04\.tif"), open_raster(href):
        pass
    assert not target.exists()


@pytest.mark.parametrize(
    ("head", "driver"),
    [
        (b"II*\0", "GTiff"),
        (b"MM\0*", "GTiff"),
        (b"II+\0", "GTiff"),
        (b"MM\0+", "GTiff"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JP2OpenJPEG"),
        (b"\xff\x4f\xff\x51", "JP2OpenJPEG"),
    ],
)
def test_what_scenes_consist_of(tmp_path: Path, head: bytes, driver: str) -> None:
    (tmp_path / "x").write_bytes(head + b"rest")
    assert remote_driver(head + b"rest", "https://example.org/x") == local_driver(str(tmp_path / "x")) == driver


@pytest.mark.parametrize("head", [b"CDF\x01", b"\x89HDF\r\n\x1a\n", b"EHFA_HEADER_TAG"])
def test_formats_that_are_only_read_from_this_machine(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "x").write_bytes(head + b"rest")
    assert local_driver(str(tmp_path / "x")) in {"netCDF", "HFA"}
    with pytest.raises(PermanentFaultError, match="is no raster that can be read"):
        remote_driver(head + b"rest", "https://example.org/x")


@pytest.mark.parametrize("head", [b"\n <html>", b"<?xml", b'{"code": 401}', b"\x1f\x8b\x08"])
def test_what_servers_answer_instead_of_a_file_may_pass(head: bytes) -> None:
    with pytest.raises(TransientFaultError, match="expected a GeoTIFF or JPEG 2000"):
        remote_driver(head, "https://example.org/B04.tif")


@pytest.mark.parametrize("path", ["missing", "folder", "\0", "x" * 5000], ids=["missing", "folder", "nul", "long"])
def test_paths_that_lead_to_no_file_are_permanent(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(PermanentFaultError):
        local_driver(str(tmp_path / path))


def test_no_module_lets_gdal_choose() -> None:
    """Every call that opens a raster names a driver, by itself or in a profile."""
    found = []
    for path in (Path(__file__).parents[2] / "src/landloom").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        found += [call for call in calls if ast.unparse(call.func) == "rasterio.open"]
    assert len(found) >= 3
    for call in found:
        words = {word.arg for word in call.keywords}
        assert "driver" in words or None in words, ast.unparse(call)
