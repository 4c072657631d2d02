"""Products in every form in which they come: read, or named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.archive.safe.made import CHOSEN, SPEC, WORLD, YEAR

from landloom.archive.safe.packages import LARGEST, opened, product_paths
from landloom.archive.safe.products import SafeArchive
from landloom.simulate.safe.products import simulate_safe_archive
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two Level-2A products; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    report = simulate_safe_archive(SPEC, folder, scenes=CHOSEN[:2], labels=False)
    return [folder / name for name in report.products]


def files(product: Path) -> dict[str, bytes]:
    return {
        file.relative_to(product.parent).as_posix(): file.read_bytes()
        for file in sorted(product.rglob("*"))
        if file.is_file()
    }


def renamed(product: Path, target: Path, rename: Callable[[str], str]) -> None:
    for name, data in files(product).items():
        path = target / rename(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def as_zip(products: list[Path], path: Path, rename: Callable[[str], str] = str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for product in products:
            for name, data in files(product).items():
                info = zipfile.ZipInfo()
                info.filename = rename(name)
                archive.writestr(info, data)


def as_aws(product: Path, at: Path, *, by_resolution: bool = True, path: str = "products/2018/6/5/S2A_X") -> Path:
    """The tile of a product in the layout of AWS's buckets; returns its folder."""
    (granule,) = (product / "GRANULE").iterdir()
    tile, home = at / "tiles/33/U/UU/2018/6/5/0", at / path
    for folder in (tile / "qi", tile / "preview", home):
        folder.mkdir(parents=True)
    shutil.copy(granule / "MTD_TL.xml", tile / "metadata.xml")
    shutil.copy(product / "MTD_MSIL2A.xml", home / "metadata.xml")
    (home / "productInfo.json").write_text("{}", encoding="utf-8")
    (tile / "tileInfo.json").write_text(json.dumps({"productPath": path, "utmZone": 33}), encoding="utf-8")
    for image in granule.glob("IMG_DATA/R*/*.jp2"):
        *_, band, resolution = image.stem.split("_")
        if not by_resolution and band in ("B02", "B03", "B04", "B08") and resolution != "10m":
            continue
        target = tile / f"R{resolution}" / f"{band}.jp2" if by_resolution else tile / f"{band}.jp2"
        target.parent.mkdir(exist_ok=True)
        shutil.copy(image, target)
        (tile / "preview" / f"{band}.jp2").write_bytes(b"small")
    return tile


FORMS: dict[str, Callable[[list[Path], Path], object]] = {
    "zip of several": lambda made, at: as_zip(made, at / "both.zip"),
    "zip in small letters": lambda made, at: as_zip(made[:1], at / "A.ZIP", str.lower),
    "zip with backslashes": lambda made, at: as_zip(made[:1], at / "a.zip", lambda name: name.replace("/", "\\")),
    "zip with a dot before": lambda made, at: as_zip(made[:1], at / "a.zip", lambda name: f"./{name}"),
    "zip in a folder of a zip": lambda made, at: as_zip(made[:1], at / "a.zip", lambda name: f"data/2018/{name}"),
    "metadata in other letters": lambda made, at: renamed(made[0], at, lambda n: n.replace("MTD_MSIL2A", "MTD_MSIL2a")),
    "metadata as AWS has it": lambda made, at: renamed(
        made[0], at, lambda n: n.replace("MTD_MSIL2A.xml", "metadata.xml").replace("MTD_TL.xml", "metadata.xml")
    ),
    "tile as AWS has it": lambda made, at: as_aws(made[0], at),
    "tile as AWS has it, old": lambda made, at: as_aws(made[0], at, by_resolution=False),
    "images in capitals": lambda made, at: renamed(made[0], at, lambda name: name.replace(".jp2", ".JP2")),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str, made: list[Path], tmp_path: Path) -> None:
    FORMS[form](made, tmp_path)
    archive = SafeArchive(tmp_path)
    scenes = archive.search(WORLD, YEAR)
    wanted = SafeArchive(made[0].parent).search(WORLD, YEAR)[: len(scenes)]
    assert [scene.id.upper() for scene in scenes] == [scene.id for scene in wanted], archive.problems
    assert len(scenes) == (2 if form == "zip of several" else 1)
    for scene, sound in zip(scenes, wanted, strict=True):
        with open_raster(scene.bands["B05"].href) as raster, open_raster(sound.bands["B05"].href) as same:
            assert (raster.read(raster.grid) == same.read(same.grid)).all()


def names_of(folder: Path) -> dict[str, str]:
    archive = SafeArchive(folder)
    archive.search(WORLD, YEAR)
    return {problem.where.rpartition("/")[2]: problem.what for problem in archive.problems}


def test_what_is_not_read_is_named(made: list[Path], tmp_path: Path) -> None:
    shutil.copytree(made[0], tmp_path / "NONE.SAFE")
    (tmp_path / "NONE.SAFE/MTD_MSIL2A.xml").unlink()
    old = "S2A_OPER_PRD_MSIL1C_PDMC_20151206T093912_R090_V20151206T043239_20151206T043239"
    (tmp_path / old / "GRANULE").mkdir(parents=True)
    for name in ("a.tar.xz", "a.7z", "a.rar"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "tile").mkdir()
    (tmp_path / "tile/tileInfo.json").write_text("{}", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "S2A_EMPTY.zip", "w") as archive:
        archive.writestr("readme.txt", "no product")
    (tmp_path / "S2A.tar.gz").write_bytes(b"\x1f\x8b no more")
    found = names_of(tmp_path)
    assert found.keys() == {old, "NONE.SAFE", "a.tar.xz", "a.7z", "a.rar", "tile", "S2A_EMPTY.zip", "S2A.tar.gz"}
    assert "unpack it" in found["a.tar.xz"] == found["a.7z"] == found["a.rar"]
    assert "cannot be read" in found["S2A.tar.gz"]
    assert "states no productPath" in found["tile"]


def test_a_tile_without_its_product_is_named(made: list[Path], tmp_path: Path) -> None:
    tile = as_aws(made[0], tmp_path)
    (metadata,) = tmp_path.glob("products/**/metadata.xml")
    metadata.rename(tmp_path / "elsewhere.xml")
    assert "expected products/2018/6/5/S2A_X/metadata.xml" in names_of(tmp_path)["0"]
    (tmp_path / "elsewhere.xml").rename(metadata)
    (tile / "metadata.xml").unlink()
    assert "without its metadata.xml" in names_of(tmp_path)["0"]
    for stated in ("../../x", "/etc/passwd/..", "", 7, None, "a\n"):
        (tile / "tileInfo.json").write_text(json.dumps({"productPath": stated}), encoding="utf-8")
        assert "productPath" in names_of(tmp_path)["0"]
    shutil.rmtree(tmp_path / "tiles")
    assert "without any of its tiles" in names_of(tmp_path)["S2A_X"]


def test_products_of_another_level_are_named(made: list[Path]) -> None:
    archive = SafeArchive(made[0].parent, level="L1C")
    assert archive.search(WORLD, YEAR) == ()
    assert [problem.what for problem in archive.problems] == ["got level L2A, expected L1C; left out"] * 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_only_regular_files_are_read(made: list[Path], tmp_path: Path) -> None:
    for name in ("A.SAFE", "B.SAFE"):
        shutil.copytree(made[0], tmp_path / name)
        (tmp_path / name / "MTD_MSIL2A.xml").unlink()
    os.mkfifo(tmp_path / "A.SAFE/MTD_MSIL2A.xml")
    (tmp_path / "B.SAFE/MTD_MSIL2A.xml").symlink_to("/dev/zero")
    assert names_of(tmp_path).keys() == {"A.SAFE", "B.SAFE"}


BOMB = """
import sys, zipfile
from pathlib import Path
folder = Path(sys.argv[1])
with zipfile.ZipFile(folder / "S2A_BOMB.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    with archive.open("x.SAFE/MTD_MSIL2A.xml", "w", force_zip64=True) as file:
        for _ in range(1024):
            file.write(bytes(2**20))
from shapely import box
from landloom.archive.safe.products import SafeArchive
from landloom.model.time import Period
archive = SafeArchive(folder)
assert archive.search(box(-180, -90, 180, 90), Period.year(2018)) == ()
assert "expected metadata of up to" in archive.problems[0].what, archive.problems
# ru_maxrss would be no less than that of the process that started this one.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
assert int(peak.split()[1]) < 2**20, "more than 1 GiB"
"""


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", BOMB, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_metadata_beyond_the_bound_is_not_read(made: list[Path], tmp_path: Path) -> None:
    shutil.copytree(made[0], tmp_path / "A.SAFE")
    with (tmp_path / "A.SAFE/MTD_MSIL2A.xml").open("ab") as file:
        file.truncate(LARGEST + 1)
    assert "expected metadata of up to" in names_of(tmp_path)["A.SAFE"]


def test_places_and_packages(made: list[Path], tmp_path: Path) -> None:
    as_zip(made, tmp_path / "both.zip")
    told: list[str] = []
    (place,) = product_paths(tmp_path, lambda where, what: told.append(where + what))
    with opened(place) as packages:
        assert sorted(one.href.rpartition("/")[2] for one in packages) == sorted(one.name for one in made)
    assert told == []
