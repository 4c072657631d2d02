"""Names as ESA publishes them: the old ones (until 2016) and the compact ones, of both levels."""

from __future__ import annotations

import pytest

from landloom.formats.safe.names import ImageName, image_name, mask_name, product_metadata, tile_metadata

NEW = "GRANULE/L1C_T18TXM_A002384_20151206T155130"
OLD = "GRANULE/S2A_OPER_MSI_L1C_TL_MTI__20151206T064112_A002384_T46QFE_N02.04"


@pytest.mark.parametrize(
    ("path", "layer", "resolution"),
    [
        (f"{NEW}/IMG_DATA/T18TXM_20151206T155130_B8A.jp2", "B8A", 20),
        (f"{NEW}/IMG_DATA/T18TXM_20151206T155130_B10.jp2", "B10", 60),
        (f"{NEW}/IMG_DATA/T18TXM_20151206T155130_TCI.jp2", "TCI", 10),
        (f"{NEW}/IMG_DATA/R60m/T18TXM_20151206T155130_SCL_60m.jp2", "SCL", 60),
        (f"{NEW}/IMG_DATA/R20m/L2A_T18TXM_20151206T155130_B02_20m.jp2", "B02", 20),
        (f"{NEW}/IMG_DATA/R20m/T18TXM_20151206T155130_B02.tif", "B02", 20),
        (f"{NEW}/IMG_DATA/T18TXM_20151206T155130_SCL.jp2", "SCL", 20),
        (f"{OLD}/IMG_DATA/S2A_OPER_MSI_L1C_TL_MTI__20151206T064112_A002384_T46QFE_B01.jp2", "B01", 60),
    ],
)
def test_an_image_tells_its_band_and_resolution(path: str, layer: str, resolution: int) -> None:
    assert image_name(path) == ImageName(folder=path.split("/")[1], layer=layer, resolution=resolution)


@pytest.mark.parametrize(
    "path",
    [
        f"{NEW}/IMG_DATA/T18TXM_20151206T155130_B13.jp2",
        f"{NEW}/IMG_DATA/T18TXM_20151206T155130_B04.xml",
        f"{NEW}/QI_DATA/T18TXM_20151206T155130_PVI.jp2",
        "IMG_DATA/T18TXM_20151206T155130_B04.jp2",
    ],
)
def test_what_is_no_image_of_a_band_is_none(path: str) -> None:
    assert image_name(path) is None


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("MTD_MSIL1C.xml", "L1C"),
        ("MTD_MSIL2A.xml", "L2A"),
        ("S2A_OPER_MTD_SAFL1C_PDMC_20151206T205010_R011_V20151206T155130.xml", "L1C"),
        ("S2B_USER_MTD_SAFL2A_PDMC_20151206T205010_R011_V20151206T155130.xml", "L2A"),
    ],
)
def test_the_name_of_the_metadata_tells_the_level(name: str, level: str) -> None:
    assert product_metadata(["manifest.safe", "INSPIRE.xml", name, f"{NEW}/MTD_TL.xml"]) == (name, level)


def test_no_metadata() -> None:
    assert product_metadata(["manifest.safe", "MTD_MSIL3A.xml", "DATASTRIP/MTD_MSIL1C.xml"]) is None
    assert tile_metadata(["MTD_TL.xml", f"{NEW}/QI_DATA/MTD_TL.xml"]) == ()


def test_granules_of_an_old_product_are_sorted() -> None:
    names = [
        f"GRANULE/{one}/S2A_OPER_MTD_L1C_TL_MTI__20151206T064112_A002384_{one}.xml" for one in ("T46QFE", "T46QEE")
    ]
    assert tile_metadata(names) == tuple(sorted(names))


@pytest.mark.parametrize(
    ("path", "mask"),
    [
        (f"{NEW}/QI_DATA/MSK_CLASSI_B00.jp2", "MSK_CLASSI_B00"),
        (f"{NEW}/QI_DATA/MSK_DETFOO_B8A.gml", "MSK_DETFOO_B8A"),
        (f"{NEW}/QI_DATA/MSK_CLDPRB_20m.jp2", "MSK_CLDPRB_20m"),
        (f"{OLD}/QI_DATA/S2A_OPER_MSK_NODATA_MTI__20151206T064112_A002384_T46QFE_B12_MSIL1C.gml", "MSK_NODATA_B12"),
        (f"{NEW}/QI_DATA/MSK_SOMETHING_B00.jp2", None),
        (f"{NEW}/QI_DATA/GENERAL_QUALITY.xml", None),
        (f"{NEW}/IMG_DATA/MSK_CLASSI_B00.jp2", None),
    ],
)
def test_masks_have_one_name_whatever_the_age_of_the_product(path: str, mask: str | None) -> None:
    assert mask_name(path) == (None if mask is None else (path.split("/")[1], mask))
