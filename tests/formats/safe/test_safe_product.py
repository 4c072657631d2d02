"""Metadata of products: variants, and every way to be broken that is named."""

from __future__ import annotations

import re

import pytest
import shapely

from landloom.errors import InvalidDocumentError
from landloom.formats.safe.safe_product import L1C_BANDS, L2A_BANDS, SafeProduct, parse_product
from landloom.model.grid import Grid

GRANULE = "GRANULE/L2A_T33TWL_A1_20220101T100031"
NAME = "S2A_MSIL2A_20220101T100031_N0400_R122_T33TWL_20220101T160000"
BANDS_10 = ("B02", "B03", "B04", "B08")
OFFSETS = "".join(f'<BOA_ADD_OFFSET band_id="{n}">-{1000 + n}</BOA_ADD_OFFSET>' for n in range(13))
PRODUCT = f"""<n1:Level-2A_User_Product xmlns:n1="u"><n1:General_Info>
<PRODUCT_START_TIME>2022-01-01T10:00:31.024Z</PRODUCT_START_TIME><PRODUCT_URI>{NAME}.SAFE</PRODUCT_URI>
<PROCESSING_BASELINE>04.00</PROCESSING_BASELINE><GENERATION_TIME>2022-01-01T16:00:00Z</GENERATION_TIME>
<Datatake datatakeIdentifier="D"><SPACECRAFT_NAME>Sentinel-2A</SPACECRAFT_NAME>
<SENSING_ORBIT_NUMBER>122</SENSING_ORBIT_NUMBER></Datatake><LIST/>
<BOA_QUANTIFICATION_VALUE>10000</BOA_QUANTIFICATION_VALUE><OFFSETS>{OFFSETS}</OFFSETS></n1:General_Info>
<EXT_POS_LIST>45 15 45 16 46 16 46 15 45 15 </EXT_POS_LIST>
<Cloud_Coverage_Assessment>12.5</Cloud_Coverage_Assessment></n1:Level-2A_User_Product>"""
SIZES = "".join(
    f'<Size resolution="{m}"><NROWS>{10980 * 10 // m}</NROWS><NCOLS>{10980 * 10 // m}</NCOLS></Size>'
    f'<Geoposition resolution="{m}"><ULX>499980</ULX><ULY>5000040</ULY><XDIM>{m}</XDIM><YDIM>-{m}</YDIM></Geoposition>'
    for m in (10, 20, 60)
)
TILE = f"""<n1:Tile xmlns:n1="u"><TILE_ID>S2A_OPER_MSI_L2A_TL_X_20220101T160000_A000001_T33TWL_N04.00</TILE_ID>
<HORIZONTAL_CS_CODE>EPSG:32633</HORIZONTAL_CS_CODE>{SIZES}
<NODATA_PIXEL_PERCENTAGE>3.5</NODATA_PIXEL_PERCENTAGE></n1:Tile>"""


def images(*bands: str) -> list[str]:
    return [f"{GRANULE}/IMG_DATA/R10m/T33TWL_20220101T100031_{band}_10m.jp2" for band in bands]


def parsed(product: str = PRODUCT, tile: str = TILE, names: list[str] | None = None) -> SafeProduct:
    files = {"MTD_MSIL2A.xml": product.encode(), f"{GRANULE}/MTD_TL.xml": tile.encode()}
    listing = [*files, *(images(*BANDS_10) if names is None else names)]
    return parse_product(listing, files.__getitem__, where="X.SAFE")


def problems(**changed: str) -> list[str]:
    with pytest.raises(InvalidDocumentError) as caught:
        parsed(**changed)  # type: ignore[arg-type]
    assert str(caught.value).startswith("X.SAFE: ")
    return [str(problem) for problem in caught.value.problems]


def test_what_nothing_needs_costs_no_product() -> None:
    product = parsed(product=PRODUCT.replace(">12.5<", ">120<"))
    assert product.cloud_cover is None
    assert product.notes == (
        "MTD_MSIL2A.xml: Cloud_Coverage_Assessment: got '120', expected a percentage from 0 to 100; ignored",
    )


@pytest.mark.parametrize("written", ["04.00", "N0400", "4.0", "0400"])
def test_a_baseline_in_any_of_its_forms(written: str) -> None:
    assert parsed(product=PRODUCT.replace("04.00</PROC", f"{written}</PROC")).baseline == "04.00"


def test_a_product_is_read_whole() -> None:
    product = parsed()
    (granule,) = product.granules
    assert (product.name, product.level, product.baseline, product.orbit) == (NAME, "L2A", "04.00", 122)
    assert product.offsets == {band: -1000 - n for n, band in enumerate(L1C_BANDS)}
    assert product.footprint.equals(shapely.box(15, 45, 16, 46))
    assert granule.grids[20] == Grid.of_bounds(32633, (499_980, 4_890_240, 609_780, 5_000_040), 20)
    assert granule.native("B04") == images("B04")[0]
    assert granule.native("B05") is None
    assert (granule.cloud_cover, granule.nodata_share, granule.sun, granule.view) == (None, 3.5, None, {})
    assert len(L1C_BANDS) == 13
    assert set(L1C_BANDS) - set(L2A_BANDS) == {"B10"}


def test_listed_images_that_are_not_there_are_named() -> None:
    listed = "".join(f"<IMAGE_FILE>{path.removesuffix('.jp2')}</IMAGE_FILE>" for path in images("B02", "B03"))
    product = parsed(PRODUCT.replace("<LIST/>", listed), names=images("B02"))
    assert [path.rpartition("/")[2] for path in product.missing] == ["T33TWL_20220101T100031_B03_10m"]


def test_no_offset_before_baseline_four() -> None:
    old = re.sub("<OFFSETS>.*</OFFSETS>", "", PRODUCT).replace("04.00", "03.01")
    assert set(parsed(old).offsets.values()) == {0}


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        (r"<OFFSETS>.*</OFFSETS>", "", "no BOA_ADD_OFFSET, though the baseline is 04.00: nothing tells the offset"),
        (r'<BOA_ADD_OFFSET band_id="12">-1012</BOA_ADD_OFFSET>', "", "BOA_ADD_OFFSET: none for B12"),
        (r'band_id="12"', 'band_id="13"', "BOA_ADD_OFFSET: got band_id '13', expected 0 to 12"),
        (r">-1012<", ">-0.1<", "BOA_ADD_OFFSET: got -0.1, expected a whole number"),
        (r"04\.00</PROC", "four</PROC", "PROCESSING_BASELINE: got 'four', expected a baseline such as 05.09"),
        (r"Sentinel-2A<", "Landsat-8<", "SPACECRAFT_NAME: got 'Landsat-8', expected one such as Sentinel-2A"),
        (r">122<", ">0<", "SENSING_ORBIT_NUMBER: got '0', expected a number from 1 to 143"),
        (r">122<", ">nan<", "SENSING_ORBIT_NUMBER: got 'nan', expected a number from 1 to 143"),
        (r"2022-01-01T10:00:31.024Z", "yesterday", "PRODUCT_START_TIME: got 'yesterday'"),
        (r"46 15 45 15 ", "46 15 ", "EXT_POS_LIST: expected a closed ring"),
        (r"<BOA_QUANT.*</BOA_QUANTIFICATION_VALUE>", "", "no BOA_QUANTIFICATION_VALUE"),
    ],
)
def test_what_is_wrong_with_a_product(old: str, new: str, wanted: str) -> None:
    found = problems(product=re.sub(old, new, PRODUCT, count=1))
    assert any(problem.startswith(f"MTD_MSIL2A.xml: {wanted}") for problem in found), found


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("EPSG:32633", "EPSG:4326", "HORIZONTAL_CS_CODE: got 'EPSG:4326', expected WGS84 / UTM"),
        ("_T33TWL_", "_T99TWL_", "TILE_ID: got '99TWL'"),
        ("<NROWS>5490</NROWS>", "<NROWS>0</NROWS>", "NROWS at 20 m: got '0'"),
        ("<ULY>5000040</ULY>", "", "ULY at 10 m: got None"),
    ],
)
def test_what_is_wrong_with_a_granule(old: str, new: str, wanted: str) -> None:
    found = problems(tile=TILE.replace(old, new, 1))
    assert any(problem.startswith(f"{GRANULE}/MTD_TL.xml: {wanted}") for problem in found), found


def test_every_problem_is_listed_at_once() -> None:
    found = problems(
        product=PRODUCT.replace(">122<", ">x<").replace("Sentinel-2A<", "x<"), tile=TILE.replace("32633", "1")
    )
    assert len(found) == 3


@pytest.mark.parametrize("text", ["", "<a>", "plain", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_what_is_no_xml_or_declares_entities_is_refused(text: str) -> None:
    assert problems(product=text)[0].startswith("MTD_MSIL2A.xml: expected XML")


def test_a_product_without_granules() -> None:
    with pytest.raises(InvalidDocumentError, match="no granule with metadata"):
        parse_product(["MTD_MSIL2A.xml"], lambda _: PRODUCT.encode())
