"""Our GeoTIFFs against GDAL, which must open them without a word, and against themselves."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import hypothesis.extra.numpy as npst
import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.io import MemoryFile

from landloom.errors import InvalidInputError, InvalidValueError
from landloom.formats import strips, tiff
from landloom.formats.geotiff import decode_geotiff, encode_cog, encode_geotiff
from landloom.model.grid import Grid
from landloom.model.rendering.colour import rgb
from landloom.model.rendering.known import SCL
from landloom.model.rendering.palettes import class_rendering
from landloom.model.taxonomy import taxonomy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from landloom.formats.strips import Compression

GRID = Grid.of_bounds(32633, (500_000, 5_000_000, 500_600, 5_000_600), 10)
DTYPES = ["uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]


def _noise(dtype: str, bands: int = 3, shape: tuple[int, int] = GRID.shape) -> NDArray[Any]:
    return np.random.default_rng(3).normal(60, 20, (bands, *shape)).astype(dtype)


def _by_gdal(data: bytes, caplog: pytest.LogCaptureFixture) -> tuple[NDArray[Any], dict[str, Any]]:
    """Pixels and properties; fails on anything that GDAL has to say."""
    caplog.set_level(logging.WARNING)
    with MemoryFile(data) as file, file.open() as dataset:
        pixels = dataset.read()
        found = {
            "epsg": dataset.crs.to_epsg(),
            "transform": tuple(dataset.transform)[:6],
            "nodata": dataset.nodata,
            "bands": dataset.descriptions,
            "scaling": (dataset.scales[0], dataset.offsets[-1]),
            "area": dataset.tags().get("AREA_OR_POINT"),
        }
    assert [record.getMessage() for record in caplog.records] == []
    return pixels, found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compression", ["deflate", "none"])
@pytest.mark.parametrize("predictor", ["predictor", ""])
def test_gdal_reads_what_was_written(
    dtype: str, compression: Compression, predictor: str, caplog: pytest.LogCaptureFixture
) -> None:
    pixels, names = _noise(dtype), ("B02", "<&> \"a\" 'b' é &amp;", "")
    data = encode_geotiff(
        pixels, GRID, nodata=7, bands=names, scaling=(0.0001, -0.1), compression=compression, predictor=bool(predictor)
    )
    got, found = _by_gdal(data, caplog)
    assert got.dtype == pixels.dtype
    np.testing.assert_array_equal(got, pixels)
    assert found == {
        "epsg": 32633,
        "transform": GRID.transform,
        "nodata": 7,
        "bands": ("B02", names[1], None),
        "scaling": (0.0001, -0.1),
        "area": "Area",
    }
    again, grid, info = decode_geotiff(data)
    assert again.dtype == pixels.dtype
    np.testing.assert_array_equal(again, pixels)
    assert (grid, info.nodata, info.bands, info.scaling) == (GRID, 7, names, (0.0001, -0.1))


@pytest.mark.parametrize("epsg", [32701, 3035, 4326, 25830, 3042, 3857])
@pytest.mark.parametrize("nodata", [None, float("nan"), -9999.0, 0.1, float("inf")])
def test_any_crs_and_nodata(epsg: int, nodata: float | None, caplog: pytest.LogCaptureFixture) -> None:
    grid = Grid(epsg=epsg, west=-1.5, north=41.25, pixel_width=0.3, pixel_height=0.7, width=5, height=4)
    data = encode_geotiff(_noise("float64", 1, (4, 5)), grid, nodata=nodata)
    _, found = _by_gdal(data, caplog)
    assert (found["epsg"], found["transform"]) == (epsg, grid.transform)
    np.testing.assert_equal(found["nodata"], nodata)
    _, same, info = decode_geotiff(data)
    assert same == grid
    np.testing.assert_equal(info.nodata, nodata)


@given(
    npst.arrays(
        st.sampled_from(DTYPES),
        st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    )
)
def test_any_array_comes_back(pixels: NDArray[Any]) -> None:
    grid = GRID.window(0, 0, *pixels.shape[1:])
    data = encode_geotiff(pixels, grid)
    again, same, _ = decode_geotiff(data)
    assert again.tobytes() == pixels.tobytes()
    assert same == grid
    with MemoryFile(data) as file, file.open() as dataset:
        np.testing.assert_array_equal(dataset.read(), pixels)


@pytest.mark.parametrize("shape", [(1, 1500, 700), (3, 901, 1200), (1, 3, 400_000)])
def test_mosaics_have_several_strips(shape: tuple[int, int, int], caplog: pytest.LogCaptureFixture) -> None:
    pixels = _noise("uint16", shape[0], shape[1:])
    data = encode_geotiff(pixels, GRID.window(0, 0, *shape[1:]), level=1)
    tags = tiff.read_tags(data)
    assert tags is not None
    assert len(tags[tiff.STRIP_OFFSETS]) > shape[0]
    got, _ = _by_gdal(data, caplog)
    np.testing.assert_array_equal(got, pixels)
    np.testing.assert_array_equal(decode_geotiff(data)[0], pixels)


def test_the_same_input_gives_the_same_bytes() -> None:
    pixels = _noise("uint16")
    strided = np.asfortranarray(pixels.astype(">u2"))
    assert encode_geotiff(strided, GRID, nodata=0, bands=["a", "b", "c"]) == encode_geotiff(
        pixels, GRID, nodata=0.0, bands=("a", "b", "c")
    )


def test_the_input_is_left_alone() -> None:
    pixels = _noise("uint16")
    before = pixels.copy()
    encode_geotiff(pixels, GRID)
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize(
    ("pixels", "options", "wanted"),
    [
        (np.zeros((60, 60), np.uint8), {}, "shape"),
        (np.zeros((0, 60, 60), np.uint8), {}, "shape"),
        (np.zeros((1, 60, 61), np.uint8), {}, "shape"),
        (np.zeros((1, 60, 60), bool), {}, "type"),
        (np.zeros((1, 60, 60), np.complex64), {}, "type"),
        (np.zeros((1, 60, 60), np.uint8), {"nodata": -1}, "nodata"),
        (np.zeros((1, 60, 60), np.uint8), {"nodata": 0.5}, "nodata"),
        (np.zeros((1, 60, 60), np.uint8), {"nodata": float("nan")}, "nodata"),
        (np.zeros((2, 60, 60), np.uint8), {"bands": ["one"]}, "descriptions"),
    ],
)
def test_what_does_not_fit_is_refused(pixels: NDArray[Any], options: dict[str, Any], wanted: str) -> None:
    with pytest.raises(InvalidValueError, match=wanted):
        encode_geotiff(pixels, GRID, **options)


@pytest.mark.parametrize("interleave", ["pixel", "band"])
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_gdals_own_files_are_decoded(interleave: str, dtype: str) -> None:
    pixels = _noise(dtype)
    with MemoryFile() as file:
        with file.open(
            driver="GTiff",
            count=3,
            height=60,
            width=60,
            dtype=dtype,
            crs="EPSG:32633",
            transform=GRID.affine,
            compress="deflate",
            predictor=2 if dtype == "uint16" else 3,
            interleave=interleave,
            nodata=5,
        ) as dataset:
            dataset.write(pixels)
            dataset.set_band_description(2, "two")
        data = file.read()
    got, grid, info = decode_geotiff(data)
    np.testing.assert_array_equal(got, pixels)
    assert (grid, info.nodata, info.bands) == (GRID, 5, ("", "two", ""))


@given(st.data())
def test_broken_files_are_named_and_never_crash(choice: st.DataObject) -> None:
    data = bytearray(encode_geotiff(_noise("uint16", 2), GRID, nodata=0))
    cut = choice.draw(st.integers(0, len(data) - 1))
    with pytest.raises(InvalidInputError):
        decode_geotiff(bytes(data[:cut]))


def test_a_damaged_strip_is_named() -> None:
    data = bytearray(encode_geotiff(_noise("uint16", 2), GRID))
    data[-1000] ^= 255
    with pytest.raises(InvalidInputError, match="broken"):
        decode_geotiff(bytes(data))


ONE_BAND = {
    "a predictor that nobody knows": {tiff.PREDICTOR: (7,)},
    "no predictor": {tiff.PREDICTOR: (1,)},
    "a predictor of floats": {tiff.PREDICTOR: (3,)},
    "two bands in one tag": {tiff.SAMPLES: (2,)},
    "undefined numbers": {tiff.SAMPLE_FORMAT: (4,)},
    "complex numbers": {tiff.SAMPLE_FORMAT: (5,)},
    "numbers of no kind": {tiff.SAMPLE_FORMAT: (9,)},
    "floats of 16 bits": {tiff.SAMPLE_FORMAT: (3,)},
    "12 bits": {tiff.BITS: (12,)},
    "17 bits": {tiff.BITS: (17,)},
    "no bits": {tiff.BITS: (0,)},
    "bits for two bands": {tiff.BITS: (16, 16)},
    "white is zero": {tiff.PHOTOMETRIC: (0,)},
    "a palette": {tiff.PHOTOMETRIC: (3,)},
    "YCbCr": {tiff.PHOTOMETRIC: (6,)},
    "bits from the right": {266: (2,)},
    "south up": {274: (4,)},
    "on its side": {274: (6,)},
    "tables of JPEG": {347: (1, 2)},
    "a reduced image": {254: (1,)},
    "LZW": {tiff.COMPRESSION: (5,)},
    "JPEG": {tiff.COMPRESSION: (7,)},
    "no scheme": {tiff.COMPRESSION: (9999,)},
    "planes of one band": {tiff.PLANAR: (2,)},
    "no planes": {tiff.PLANAR: (3,)},
    "two tie points": {tiff.TIEPOINT: (0.0, 0.0, 0.0, 5e5, 5e6, 0.0, 9.0, 9.0, 0.0, 5e5, 5e6, 0.0)},
    "tied elsewhere": {tiff.TIEPOINT: (1.0, 1.0, 0.0, 5e5, 5e6, 0.0)},
    "points": {tiff.GEO_KEYS: (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 2, 3072, 0, 1, 32633)},
    "degrees that are metres": {tiff.GEO_KEYS: (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 3072, 0, 1, 32633)},
    "a code that is a place": {tiff.GEO_KEYS: (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 34736, 1, 0)},
    "a user's CRS": {tiff.GEO_KEYS: (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32767)},
    "nodata in numbers": {tiff.GDAL_NODATA: (0,)},
}


@pytest.mark.parametrize("compression", ["deflate", "none"])
@pytest.mark.parametrize("odd", ONE_BAND.values(), ids=ONE_BAND)
def test_what_a_tag_says_is_honoured_or_refused(odd: dict[int, tiff.Value], compression: Compression) -> None:
    """GDAL's pixels and grid, or an error: never numbers that another tag makes wrong."""
    written = encode_geotiff(_noise("uint16", 1), GRID, nodata=0, compression=compression)
    tags = tiff.read_tags(written)
    assert tags is not None
    places = zip(tags.pop(tiff.STRIP_OFFSETS), tags.pop(tiff.STRIP_COUNTS), strict=True)
    data = tiff.write_tiff(tags | odd, [written[int(at) : int(at) + int(size)] for at, size in places])
    try:
        with MemoryFile(data) as file, file.open(driver="GTiff") as dataset:
            wanted, transform, epsg = dataset.read(), dataset.transform, dataset.crs.to_epsg()
    except (rasterio.errors.RasterioError, AttributeError):
        with pytest.raises(InvalidInputError):
            decode_geotiff(data)
        return
    try:
        got, grid, _ = decode_geotiff(data)
    except InvalidInputError:
        return  # a grid that is not north up, or has no code
    np.testing.assert_array_equal(got, wanted)
    assert (grid.affine, grid.epsg) == (transform, epsg)


def test_strips_that_are_not_there_are_nodata() -> None:
    pixels = np.zeros((1, 1500, 700), np.uint16)
    pixels[0, :700] = 7
    grid = GRID.window(0, 0, 1500, 700)
    profile = {
        "driver": "GTiff",
        "count": 1,
        "height": 1500,
        "width": 700,
        "dtype": "uint16",
        "crs": "EPSG:32633",
        "transform": grid.affine,
        "compress": "deflate",
        "predictor": 2,
        "nodata": 0,
        "sparse_ok": True,
    }
    with MemoryFile() as file:
        with file.open(**profile) as dataset:
            dataset.write(pixels)
        data = file.read()
    tags = tiff.read_tags(data)
    assert tags is None or 0 in tags[tiff.STRIP_COUNTS]
    np.testing.assert_array_equal(decode_geotiff(data)[0], pixels)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "float32", "float64"])
@pytest.mark.parametrize(("bands", "shape", "block"), [(1, (70, 61), 32), (3, (55, 33), 16), (2, (4, 5), 16)])
def test_cogs_equal_gdals(dtype: str, bands: int, shape: tuple[int, int], block: int) -> None:
    grid = Grid(epsg=32633, west=5e5, north=5e6, pixel_width=10, pixel_height=10, width=shape[1], height=shape[0])
    pixels = _noise(dtype, bands, shape)
    profile = {
        "driver": "COG", "count": bands, "height": shape[0], "width": shape[1], "dtype": dtype, "crs": "EPSG:32633",
        "transform": grid.affine, "nodata": 0, "compress": "deflate", "predictor": "yes", "blocksize": block,
        "overviews": "auto", "overview_resampling": "nearest",
    }  # fmt: skip
    with MemoryFile() as file:
        with file.open(**profile) as dataset:
            dataset.write(pixels)
        theirs = bytes(file.getbuffer())
    ours = encode_cog(pixels, grid, nodata=0, block=block)
    with MemoryFile(ours) as a, a.open() as mine, MemoryFile(theirs) as b, b.open() as gdal:
        assert mine.profile == gdal.profile
        assert mine.tags(ns="IMAGE_STRUCTURE") == gdal.tags(ns="IMAGE_STRUCTURE")
        np.testing.assert_array_equal(mine.read(), pixels)
        levels = mine.overviews(1)
        assert levels == gdal.overviews(1)
    for level in range(len(levels)):
        with (
            MemoryFile(ours) as a,
            a.open(overview_level=level) as mine,
            MemoryFile(theirs) as b,
            b.open(overview_level=level) as gdal,
        ):
            np.testing.assert_array_equal(mine.read(), gdal.read())
            assert mine.nodata == gdal.nodata


@pytest.mark.parametrize("bands", [1, 3])
def test_cogs_are_cogs(bands: int, caplog: pytest.LogCaptureFixture) -> None:
    grid = Grid.of_bounds(32633, (500_000, 5_000_000, 507_000, 5_006_000), 10)
    pixels = _noise("uint16", bands, grid.shape)
    data = encode_cog(pixels, grid, nodata=0, bands=[f"B{n}" for n in range(bands)], block=256)
    assert data == encode_cog(pixels, grid, nodata=0, bands=[f"B{n}" for n in range(bands)], block=256)
    got, found = _by_gdal(data, caplog)
    np.testing.assert_array_equal(got, pixels)
    assert (found["nodata"], found["bands"]) == (0, tuple(f"B{n}" for n in range(bands)))
    with MemoryFile(data) as file, file.open() as dataset:
        assert dataset.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert dataset.block_shapes == [(256, 256)] * bands
        assert dataset.overviews(1) == [2, 4]
        assert dataset.compression is rasterio.enums.Compression.deflate
    flat = encode_cog(pixels, grid, overviews=False, block=256)
    with MemoryFile(flat) as file, file.open() as dataset:
        assert dataset.overviews(1) == []
    with pytest.raises(InvalidValueError, match="shape"):
        encode_cog(pixels, GRID)


@pytest.mark.parametrize("bands", [1, 2, 3])
def test_gdal_reads_names_and_colours_of_classes(bands: int, caplog: pytest.LogCaptureFixture) -> None:
    pixels = np.random.default_rng(4).integers(0, 12, (bands, *GRID.shape)).astype(np.uint8)
    classes = (SCL, *(None,) * (bands - 1))
    data = encode_geotiff(pixels, GRID, nodata=0, bands=["SCL", *("x",) * (bands - 1)], classes=classes)
    assert np.array_equal(_by_gdal(data, caplog)[0], pixels)
    assert np.array_equal(decode_geotiff(data)[0], pixels)
    assert strips.other_tags(tiff.read_tags(data) or {}) is not None  # read by our own decoder, not through GDAL
    with MemoryFile(data) as file, file.open() as dataset:
        assert dataset.tags(1) == {f"class_{one.code}": one.name for one in SCL.classes}
        assert all(dataset.tags(number) == {} for number in range(2, bands + 1))
        if bands > 2:  # GDAL has no colour table for them
            assert dataset.colorinterp[0] is rasterio.enums.ColorInterp.gray
            return
        table = dataset.colormap(1)
    for one in SCL.classes:
        assert table[one.code] == (*rgb(one.colour), 255)
    assert table[0] == (0, 0, 0, 0)  # nodata is transparent


def test_codes_beyond_a_byte_have_names_but_no_colour_table() -> None:
    pixels = np.full((1, *GRID.shape), 311, np.uint16)
    data = encode_geotiff(pixels, GRID, classes=(class_rendering(taxonomy("clc")),))
    with MemoryFile(data) as file, file.open() as dataset:
        assert dataset.tags(1)["class_311"] == "Broad-leaved forest"
        assert dataset.colorinterp[0] is rasterio.enums.ColorInterp.gray
