"""`landloom parcels rasterise` and `describe`, as people type them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from typer.testing import CliRunner

from landloom.cli.app import app

if TYPE_CHECKING:
    from pathlib import Path

RUN = CliRunner()


def test_rasterise_as_the_documentation_says(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"GIS_ID": [2**24 + 1, 4], "NUTZUNGSCO": ["0513", "0601"], "JAHR": [2020, 2019]},
        geometry=[shapely.box(x, 5_000_000, x + 100, 5_000_100) for x in (500_000, 500_100)],
        crs=32632,
    )
    frame.to_file(tmp_path / "parcels.gpkg")
    command = ["parcels", "rasterise", str(tmp_path / "parcels.gpkg"), "--columns", "ground_truth=NUTZUNGSCO"]
    command += ["id=GIS_ID", "year=JAHR", "--year", "2020", "--bounds", "499900", "4999900", "500200", "5000200"]
    command += ["--crs", "EPSG:32632", "--resolution", "2.5", "--out", str(tmp_path / "out"), "--json"]
    result = RUN.invoke(app, command)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert (report["parcels"], report["labelled"], report["rejected"]) == (1, 1600, 1)
    with rasterio.open(tmp_path / "out" / "ids.tif") as file:
        assert set(np.unique(file.read(1)).tolist()) == {0, 2**24 + 1}
    assert "of 2019, not of 2020" in (tmp_path / "out" / "rejected.csv").read_text()


def test_describe_says_what_fits_and_draws(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"ground_truth": ["a", "b"]}, geometry=[shapely.box(0, 0, 200, 100), shapely.box(600, 0, 900, 100)], crs=32633
    )
    frame.to_file(tmp_path / "parcels.geojson", RFC7946="NO")
    command = ["parcels", "describe", str(tmp_path / "parcels.geojson"), "--size", "24", "--size", "64"]
    result = RUN.invoke(app, [*command, "--figure", str(tmp_path / "extents.png")])
    assert result.exit_code == 0, result.output
    assert "24 px" in result.stdout
    assert "50.0%" in result.stdout
    assert (tmp_path / "extents.png").read_bytes()[:4] == b"\x89PNG"


@pytest.fixture
def one_parcel(tmp_path: Path) -> Path:
    frame = geopandas.GeoDataFrame(
        {"ground_truth": ["a"]}, geometry=[shapely.box(500_000, 5_000_000, 500_100, 5_000_100)], crs=32633
    )
    frame.to_file(tmp_path / "parcels.gpkg")
    return tmp_path / "parcels.gpkg"


BOUNDS = ["--bounds", "499900", "4999900", "500200", "5000200"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([*BOUNDS, "--crs", "999999"], "EPSG does not know"),
        ([*BOUNDS, "--crs", "32633", "--resolution", "0"], "resolution of 0 m"),
        ([*BOUNDS, "--crs", "32633", "--resolution", "-10"], "resolution of -10 m"),
        ([*BOUNDS, "--crs", "32633", "--resolution", "3"], "divides or multiplies 10 m"),
        ([*BOUNDS, "--crs", "32633", "--year", "2020"], "no column of one"),
        ([*BOUNDS, "--crs", "32633", "--columns", "groundtruth=ground_truth"], "no role of a column 'groundtruth'"),
        ([*BOUNDS, "--crs", "32633", "--columns", "ground_truth"], "expected role=COLUMN"),
        (["--bounds", "0", "0", "40000000", "40000000", "--crs", "32633"], "GB before compression"),
    ],
)
def test_wrong_options_end_in_one_line(one_parcel: Path, tmp_path: Path, options: list[str], message: str) -> None:
    result = RUN.invoke(app, ["parcels", "rasterise", str(one_parcel), *options, "--out", str(tmp_path / "out")])
    assert result.exit_code != 0
    said = " ".join((str(result.exception) + result.stderr).replace("│", " ").split())
    assert message in said.replace("expected ", "expected "), said
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_left_alone(one_parcel: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ["parcels", "rasterise", str(one_parcel), *BOUNDS, "--crs", "32633", "--out", str(out)]
    assert RUN.invoke(app, command).exit_code == 0
    assert RUN.invoke(app, command).exit_code == 0, "its own files are written anew"
    (out / "thesis.tex").write_text("x")
    refused = RUN.invoke(app, command)
    assert refused.exit_code != 0
    assert "thesis.tex" in str(refused.exception)
    assert RUN.invoke(app, [*command, "--force"]).exit_code == 0
    assert (out / "thesis.tex").read_text() == "x"


def test_figures_of_unknown_kinds_are_refused(one_parcel: Path, tmp_path: Path) -> None:
    result = RUN.invoke(app, ["parcels", "describe", str(one_parcel), "--figure", str(tmp_path / "f.xyz")])
    assert result.exit_code == 2
    assert "f.xyz" in result.stderr
