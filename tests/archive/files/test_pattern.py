"""Patterns of file names: what they say, and what they refuse."""

from __future__ import annotations

import pytest

from landloom.archive.files.pattern import FilePattern
from landloom.errors import InvalidValueError


@pytest.mark.parametrize(
    ("pattern", "name", "scene", "band"),
    [
        ("{date}_{band}.tif", "20180603_B04.TIF", "2018-06-03", "B04"),
        ("{date}_{band}.tif", "2018-06-03T10:02:11_B04.tif", "2018-06-03T100211", "B04"),
        ("{date}_{band}.tif", "2018-06-03T100211Z_B04.tif", "2018-06-03T100211", "B04"),
        ("{date}_{band}.tif", "2018154_B04.tif", "2018-06-03", "B04"),
        ("{date}.{band}.tif", "20180603.4.tif", "2018-06-03", "4"),
        ("*_{date}_*_SR_{band}.tif", "LC08_L2SP_193023_20180603_20180615_02_T1_SR_B4.TIF", "2018-06-03", "B4"),
        ("{place}/{date}/*_{band}_*m.jp2", "north/20180603/T33UUT_B8A_20m.jp2", "north_2018-06-03", "B8A"),
        ("**/{date}.tif", "a/b/2018-06-03.tif", "2018-06-03", None),
        ("**/{date}.tif", "2018-06-03.tif", "2018-06-03", None),
        (
            "HLS.?30.{granule}.{date}.v2.0.{band}.tif",
            "HLS.L30.T33UUT.2018154T100211.v2.0.Fmask.tif",
            "33UUT_2018-06-03T100211",
            "Fmask",
        ),
    ],
)
def test_a_pattern_reads_scene_and_band(pattern: str, name: str, scene: str, band: str | None) -> None:
    found = FilePattern.parse(pattern).match(name)
    assert found is not None
    assert (found.scene, found.band) == (scene, band)


def test_names_of_bands_divide_a_name_where_it_could_be_divided_in_several_ways() -> None:
    pattern = FilePattern.parse("x_{date}_*_{band}.tif", ["SCL", "B1", "B12"])
    for name, band in (
        ("x_20180603_a_b_SCL.tif", "SCL"),
        ("x_20180603_a_b12.tif", "b12"),
        ("x_20180603_a_T1.tif", "T1"),
    ):
        found = pattern.match(name)
        assert found is not None
        assert found.band == band


@pytest.mark.parametrize(
    "name", ["20181303_B04.tif", "2018366_B04.tif", "20180603T256161_B04.tif", "x/20180603_B04.tif", "20180603_B04.jp2"]
)
def test_other_names_and_impossible_dates_do_not_match(name: str) -> None:
    assert FilePattern.parse("{date}_{band}.tif").match(name) is None


@pytest.mark.parametrize("text", ["{band}.tif", "{date}_{day}.tif", "{date}_{date}.tif", "{date}_{}.tif", ""])
def test_a_pattern_has_one_date_and_known_fields(text: str) -> None:
    with pytest.raises(InvalidValueError, match="got"):
        FilePattern.parse(text)
