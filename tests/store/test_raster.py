"""Windowed reads against rasterio's own, and faults sorted into those that stay and those that pass."""

from __future__ import annotations

import gzip
from contextlib import ExitStack, nullcontext
from contextvars import Context
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from tests.rasters import read_window

from landloom.errors import InvalidValueError, PermanentFaultError, TransientFaultError
from landloom.formats.geotiff import encode_cog, encode_geotiff
from landloom.model.grid import Grid
from landloom.store.open import open_store
from landloom.store.patience import Patience
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from tests.web import FaultyServer

HASTY = Patience(attempts=2, first_wait=0, longest_wait=0)
GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 507_000, 5_006_000), 10)
PIXELS: NDArray[Any] = np.random.default_rng(7).integers(1, 10_000, (2, *GRID.shape), np.uint16)
COG = encode_cog(PIXELS, GRID, nodata=0, bands=["B04", "SCL"], block=256)
SMOOTH = encode_cog(PIXELS // 5000, GRID, nodata=0, block=256)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    (tmp_path / "scene.tif").write_bytes(COG)
    return tmp_path / "scene.tif"


def test_the_file_describes_itself(scene: Path) -> None:
    with open_raster(str(scene)) as raster:
        assert raster.grid == GRID
        assert (raster.count, raster.nodata, raster.driver) == (2, 0, "GTiff")
        assert raster.dtype == np.dtype("uint16")
        assert raster.bands == ("B04", "SCL")


@pytest.mark.parametrize("band", [1, 2])
@pytest.mark.parametrize(
    ("row", "column", "height", "width"),
    [(0, 0, 600, 700), (100, 50, 60, 60), (-5, -7, 20, 30), (590, 695, 60, 60), (-10, -10, 700, 800), (0, 900, 5, 5)],
)
def test_windows_equal_cuts_from_a_padded_whole(
    scene: Path, row: int, column: int, height: int, width: int, band: int
) -> None:
    got = read_window(str(scene), GRID.window(row, column, height, width), band=band, fill=9)
    with rasterio.open(scene) as dataset:
        padded = np.pad(dataset.read(band), 1000, constant_values=9)
    assert got.dtype == np.uint16
    np.testing.assert_array_equal(got, padded[1000 + row :, 1000 + column :][:height, :width])


def test_windows_off_the_pixels_are_refused(scene: Path) -> None:
    with open_raster(str(scene)) as raster:
        with pytest.raises(InvalidValueError, match="pixel edges"):
            raster.read(Grid.of_bounds(32633, (500_005, 5_000_000, 500_105, 5_000_100), 10))
        with pytest.raises(PermanentFaultError, match="no band 3"):
            raster.read(GRID, band=3)


def test_content_counts_not_the_suffix(tmp_path: Path) -> None:
    with rasterio.open(
        tmp_path / "really.jp2",
        "w",
        driver="JP2OpenJPEG",
        width=700,
        height=600,
        count=2,
        dtype="uint16",
        crs="EPSG:32633",
        transform=GRID.affine,
        QUALITY=100,
        REVERSIBLE="YES",
    ) as dataset:
        dataset.write(PIXELS)
    named = (tmp_path / "really.jp2").rename(tmp_path / "named.tif")
    with open_raster(str(named)) as raster:
        assert raster.driver == "JP2OpenJPEG"
        np.testing.assert_array_equal(raster.read(GRID, band=2), PIXELS[1])


def test_neither_warnings_nor_messages_leak(
    scene: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    read_window(str(scene), GRID)
    bare = scene.with_name("bare.png")
    bare.write_bytes(b"\x89PNG broken")
    with pytest.raises(PermanentFaultError, match=r"bare\.png"):
        read_window(str(bare), GRID)
    assert [record for record in caplog.records if record.levelname in {"WARNING", "ERROR"}] == []
    assert capfd.readouterr() == ("", "")


BROKEN = {
    "half.tif": COG[: len(COG) // 2],
    "header.tif": COG[:200],
    "empty.tif": b"",
    "junk.tif": b"not a raster" * 50,
    "damaged.tif": SMOOTH[: len(SMOOTH) // 2] + b"\xff" * (len(SMOOTH) // 2),
}


@pytest.mark.parametrize("name", [*BROKEN, "missing.tif"])
@pytest.mark.parametrize("place", ["local", "remote"])
def test_broken_and_missing_files_stay_so(faulty: FaultyServer, tmp_path: Path, name: str, place: str) -> None:
    for file, data in BROKEN.items():
        (tmp_path / file).write_bytes(data)
    href = f"{faulty.address}/{name}" if place == "remote" else str(tmp_path / name)
    with pytest.raises(PermanentFaultError) as caught:
        read_window(href, GRID, band=2)
    assert str(caught.value).startswith(href)


def test_a_file_truncated_behind_its_header_opens_and_then_fails(tmp_path: Path) -> None:
    (tmp_path / "half.tif").write_bytes(BROKEN["half.tif"])
    with open_raster(str(tmp_path / "half.tif")) as raster:
        assert raster.grid == GRID
        with pytest.raises(PermanentFaultError, match=r"half\.tif: truncated: a block has [\d,]+ bytes, wanted"):
            raster.read(GRID, band=2)


def test_a_file_without_place_or_with_a_turned_one_is_unusable(tmp_path: Path) -> None:
    for name, settings in {
        "nowhere.tif": {},
        "turned.tif": {"crs": "EPSG:32633", "transform": rasterio.Affine(1, 1, 5, 1, -1, 5)},
    }.items():
        with (
            pytest.warns(NotGeoreferencedWarning) if not settings else nullcontext(),
            rasterio.open(
                tmp_path / name, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", **settings
            ) as dataset,
        ):
            dataset.write(np.ones((1, 4, 4), np.uint8))
        with pytest.raises(PermanentFaultError, match=name), open_raster(str(tmp_path / name)):
            pass
    stated = Grid.of_bounds(32633, (500_000, 5_000_000, 500_400, 5_000_400), 10)
    with open_raster(str(tmp_path / "nowhere.tif"), stated=stated) as raster:
        assert raster.grid == Grid.of_bounds(32633, stated.bounds, 100)
    with pytest.raises(PermanentFaultError), open_raster(str(tmp_path / "turned.tif"), stated=stated):
        pass


@pytest.mark.usefixtures("scene")
class TestOverTheWeb:
    def test_pixels_are_the_same(self, faulty: FaultyServer) -> None:
        window = GRID.window(-3, 200, 60, 60)
        got = read_window(f"{faulty.address}/scene.tif", window, band=2)
        np.testing.assert_array_equal(got[3:], PIXELS[1, :57, 200:260])

    @pytest.mark.parametrize("status", [500, 503, 429, 403])
    @pytest.mark.parametrize("after", [0, 1])
    def test_a_failing_server_passes(self, faulty: FaultyServer, status: int, after: int) -> None:
        href = f"{faulty.address}/scene.tif"
        faulty.fail(after=after, status=status)
        with pytest.raises(TransientFaultError, match=rf"scene\.tif.*{status}"):
            read_window(href, GRID, patience=HASTY)
        faulty.heal()
        np.testing.assert_array_equal(read_window(href, GRID, patience=HASTY), PIXELS[0])

    def test_what_fails_once_is_asked_again(self, faulty: FaultyServer) -> None:
        with open_raster(f"{faulty.address}/scene.tif", patience=HASTY) as raster:
            faulty.script = [503, 200]
            np.testing.assert_array_equal(raster.read(GRID), PIXELS[0])

    def test_an_open_file_that_failed_can_be_read_later(self, faulty: FaultyServer) -> None:
        with open_raster(f"{faulty.address}/scene.tif", patience=HASTY) as raster:
            faulty.fail(after=0)
            with pytest.raises(TransientFaultError):
                raster.read(GRID)
            faulty.heal()
            np.testing.assert_array_equal(raster.read(GRID), PIXELS[0])

    @pytest.mark.parametrize("status", [404, 410, 451])
    def test_what_is_gone_is_gone(self, faulty: FaultyServer, status: int) -> None:
        faulty.fail(status=status)
        with pytest.raises(PermanentFaultError, match=str(status)):
            read_window(f"{faulty.address}/scene.tif", GRID)
        assert len(faulty.requests) == (2 if status == 404 else 1), "one 404 may be a stray one"

    def test_a_silent_server_passes(self, faulty: FaultyServer) -> None:
        faulty.hang = 30
        with pytest.raises(TransientFaultError, match="timed out"):
            read_window(f"{faulty.address}/scene.tif", GRID, patience=replace(HASTY, attempts=1, timeout=0.2))

    def test_an_absent_server_passes(self) -> None:
        with pytest.raises(TransientFaultError, match="refused"):
            read_window("http://127.0.0.1:1/scene.tif", GRID, patience=HASTY)

    @pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "gzip"}, {"Transfer-Encoding": "chunked"}])
    def test_servers_without_ranges_are_read_whole(self, faulty: FaultyServer, headers: dict[str, str]) -> None:
        faulty.whole = headers
        got = read_window(f"{faulty.address}/scene.tif", GRID, band=2)
        np.testing.assert_array_equal(got, PIXELS[1])
        assert len(faulty.requests) == 1

    @pytest.mark.parametrize("body", [b"<!DOCTYPE html><p>log in", b'{"error": "log in"}', gzip.compress(COG)])
    def test_an_answer_that_is_not_the_file_passes(self, faulty: FaultyServer, tmp_path: Path, body: bytes) -> None:
        (tmp_path / "scene.tif").write_bytes(body)
        with pytest.raises(TransientFaultError, match="expected a GeoTIFF"):
            read_window(f"{faulty.address}/scene.tif", GRID)

    def test_a_file_that_is_replaced_while_it_is_read_is_never_mixed(
        self, faulty: FaultyServer, tmp_path: Path
    ) -> None:
        with open_raster(f"{faulty.address}/scene.tif") as raster:
            (tmp_path / "scene.tif").write_bytes(COG + b"longer")
            with pytest.raises(TransientFaultError, match="changed while it was being read"):
                raster.read(GRID)

    @pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
    def test_redirects_are_followed(self, faulty: FaultyServer, code: int) -> None:
        faulty.redirect = {"/old.tif": (code, f"{faulty.address}/scene.tif?signature=1")}
        got = read_window(f"{faulty.address}/old.tif", GRID)
        np.testing.assert_array_equal(got, PIXELS[0])
        assert faulty.requests.count("/old.tif") == 1

    @pytest.mark.parametrize(
        "target",
        ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://169.254.169.254/latest", "http://[::1", "/old.tif"],
    )
    def test_bad_redirects_are_refused_and_may_pass(self, faulty: FaultyServer, target: str) -> None:
        faulty.redirect = {"/old.tif": (302, target)}
        with pytest.raises(TransientFaultError, match=r"old\.tif"):
            read_window(f"{faulty.address}/old.tif", GRID, patience=HASTY)

    @pytest.mark.parametrize(
        "href", ["ftp://127.0.0.1/a.tif", "http://", "http://127.0.0.1:99999/a.tif", "http://[::1"]
    )
    def test_what_is_no_address_is_refused(self, href: str) -> None:
        with pytest.raises(PermanentFaultError):
            read_window(href, GRID)

    def test_hosts_can_be_limited(self, faulty: FaultyServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANDLOOM_HOSTS", "example.org, .example.net")
        with pytest.raises(PermanentFaultError, match=r"127\.0\.0\.1 is not among the hosts"):
            read_window(f"{faulty.address}/scene.tif", GRID)
        assert faulty.requests == []
        monkeypatch.setenv("LANDLOOM_HOSTS", "127.0.0.1")
        np.testing.assert_array_equal(read_window(f"{faulty.address}/scene.tif", GRID), PIXELS[0])

    def test_no_secret_of_an_address_is_shown(self, faulty: FaultyServer) -> None:
        faulty.fail(status=403)
        href = f"{faulty.address}/scene.tif".replace("://", "://user:SECRET@") + "?sig=SECRET"
        with pytest.raises(TransientFaultError) as caught:
            read_window(href, GRID)
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("kind", ["s3", "azure"])
def test_object_stores_are_read_where_the_environment_says(kind: str, request: pytest.FixtureRequest) -> None:
    store = open_store(f"{request.getfixturevalue(kind)}/archive")
    chip = Grid.of_bounds(32633, (500_000, 5_000_000, 500_600, 5_000_600), 10)
    store.put("chip.tif", encode_geotiff(PIXELS[:, :60, :60], chip))
    store.put("junk.tif", b"junk" * 99)
    np.testing.assert_array_equal(read_window(store.href("chip.tif"), chip, band=2), PIXELS[1, :60, :60])
    for name in ("junk.tif", "missing.tif"):
        with pytest.raises(PermanentFaultError, match=rf"(s3|az)://.*/{name}"):
            read_window(store.href(name), chip)


def test_a_file_that_gdal_reads_is_closed_by_another_thread(faulty: FaultyServer, scene: Path) -> None:
    """rasterio keeps what it knows of remote files in the context that opened them."""
    with ExitStack() as stack:
        raster = Context().run(stack.enter_context, open_raster(f"{faulty.address}/{scene.name}"))
        assert Context().run(raster.preview).size
        Context().run(stack.close)
