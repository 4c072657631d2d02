"""Products in tar files: read as they are, unpacked once where compressed, nothing written elsewhere."""

from __future__ import annotations

import bz2
import gzip
import io
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.archive.safe.made import CHOSEN, SPEC, WORLD, YEAR

from landloom.archive.safe.masks import product_mask
from landloom.archive.safe.products import SafeArchive
from landloom.archive.safe.tars import FOLDER, tar_parts
from landloom.errors import InvalidInputError, TransientFaultError
from landloom.simulate.safe.products import SafeForm, simulate_safe_archive
from landloom.store.raster import open_raster

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from landloom.model.scene import Scene

PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tgz": gzip.compress,
    ".TAR.BZ2": bz2.compress,
    ".tbz2": bz2.compress,
}
"""Ending → what makes a file of it from a tar file."""


@pytest.fixture(scope="module", params=["L2A", "L1C old"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two products; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    form = SafeForm() if request.param == "L2A" else SafeForm(level="L1C", old=True)
    report = simulate_safe_archive(SPEC, folder, scenes=CHOSEN, labels=False, form=form)
    return [folder / name for name in report.products]


def tarred(products: list[Path], form: int = tarfile.PAX_FORMAT, prefix: str = "") -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w", format=form) as archive:
        for product in products:
            archive.add(product, prefix + product.name)
    return written.getvalue()


def scenes_of(folder: Path) -> tuple[Scene, ...]:
    archive = SafeArchive(folder)
    found = archive.search(WORLD, YEAR)
    assert archive.problems == ()
    return found


def same_pixels(found: tuple[Scene, ...], wanted: tuple[Scene, ...]) -> None:
    assert [scene.id for scene in found] == [scene.id for scene in wanted]
    for one, sound in zip(found, wanted, strict=True):
        with open_raster(one.bands["B05"].href) as raster, open_raster(sound.bands["B05"].href) as same:
            assert raster.grid == same.grid
            np.testing.assert_array_equal(raster.read(raster.grid), same.read(same.grid))
            window = raster.grid
        if one.masks:
            np.testing.assert_array_equal(
                product_mask(one, window, ["B05"]).valid, product_mask(sound, window, ["B05"]).valid
            )


@pytest.mark.parametrize("ending", PACKED)
def test_every_form_shows_the_same(ending: str, made: list[Path], tmp_path: Path) -> None:
    wanted = scenes_of(made[0].parent)
    (tmp_path / f"both{ending}").write_bytes(PACKED[ending](tarred(made)))
    found = scenes_of(tmp_path)
    same_pixels(found, wanted)
    assert {scene.href for scene in found} == {f"{tmp_path}/both{ending}/{one.name}" for one in made}
    copies = list((tmp_path / FOLDER).glob("*"))
    assert len(copies) == (0 if ending == ".tar" else 1)
    before = [copy.stat().st_mtime_ns for copy in copies]
    same_pixels(scenes_of(tmp_path), wanted)
    assert [copy.stat().st_mtime_ns for copy in (tmp_path / FOLDER).glob("*")] == before, "unpacked once"


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("prefix", ["", "./", "data/2018/"])
def test_every_way_to_write_long_names(form: int, prefix: str, made: list[Path], tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tarred(made[:1], form, prefix))
    (scene,) = scenes_of(tmp_path)
    assert scene.id in {one.id for one in scenes_of(made[0].parent)}


def test_a_replaced_file_is_unpacked_again(made: list[Path], tmp_path: Path) -> None:
    for product in made:
        (tmp_path / "a.tgz").write_bytes(gzip.compress(tarred([product]), 1))
        (scene,) = scenes_of(tmp_path)
        assert scene.id.startswith(product.name.removesuffix(".SAFE"))


def test_a_gzip_ending_on_a_plain_file(made: list[Path], tmp_path: Path) -> None:
    """As a server leaves it that decodes what it sends."""
    (tmp_path / "a.tar.gz").write_bytes(tarred(made[:1]))
    assert len(scenes_of(tmp_path)) == 1
    assert not (tmp_path / FOLDER).exists()


def problems_of(folder: Path) -> dict[str, str]:
    archive = SafeArchive(folder)
    assert archive.search(WORLD, YEAR) == ()
    return {problem.where.rpartition("/")[2]: problem.what for problem in archive.problems}


def test_what_is_damaged_is_named_and_leaves_nothing(made: list[Path], tmp_path: Path) -> None:
    whole = tarred(made[:1])
    files = {
        "cut.tar": whole[: len(whole) // 2],
        "cut.tgz": gzip.compress(whole, 1)[:-1000],
        "cut.tbz2": bz2.compress(whole, 1)[:-1000],
        "flipped.tgz": gzip.compress(whole, 1)[:-8] + bytes(8),
        "none.tgz": b"\x1f\x8b no more",
        "empty.tar": b"",
        "page.tar.gz": b"<html>sign in</html>",
        "S2A_OTHER.tgz": gzip.compress(tarred([made[0] / "GRANULE"])),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    assert problems_of(tmp_path).keys() == files.keys()
    assert list((tmp_path / FOLDER).glob("*")) == []


def test_nothing_is_written_where_a_member_says(made: list[Path], tmp_path: Path) -> None:
    written = io.BytesIO(tarred(made[:1]))
    with tarfile.open(fileobj=written, mode="a") as archive:
        for name in ("../slip.txt", f"{tmp_path}/absolute.txt", f"{made[0].name}/../../slip.txt"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"slip"))
        for name, kind in (("fifo", tarfile.FIFOTYPE), ("zero", tarfile.CHRTYPE), ("link", tarfile.SYMTYPE)):
            member = tarfile.TarInfo(f"{made[0].name}/{name}")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    home = tmp_path / "home"
    home.mkdir()
    (home / "a.tgz").write_bytes(gzip.compress(written.getvalue(), 1))
    (scene,) = scenes_of(home)
    assert not {"passwd", "fifo"} & {part for file in scene.bands.values() for part in file.href.split("/")}
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert {path.name for path in home.iterdir()} == {"a.tgz", FOLDER}
    assert len(list((home / FOLDER).iterdir())) == 1


@pytest.mark.parametrize("link", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_metadata_behind_a_link_is_not_read(link: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "S2A_X.tar", "w") as archive:
        member = tarfile.TarInfo("X.SAFE/MTD_MSIL2A.xml")
        member.type, member.linkname = link, "/etc/passwd"
        archive.addfile(member)
    assert "no MTD_MSIL1C.xml" in problems_of(tmp_path)["S2A_X.tar"]


def test_the_number_of_members_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tarred([tmp_path]) + tarred([tmp_path]))
    with tarfile.open(tmp_path / "b.tar", "w") as archive:
        for name in "abc":
            archive.addfile(tarfile.TarInfo(name))
    assert tar_parts(tmp_path / "b.tar", 3).keys() == {"a", "b", "c"}
    with pytest.raises(InvalidInputError, match="more than 2 members"):
        tar_parts(tmp_path / "b.tar", 2)


SCRIPT = """
import gzip, sys, tarfile
from pathlib import Path
folder, kind = Path(sys.argv[1]), sys.argv[2]
if kind == "zeros":
    with gzip.open(folder / "S2A_BOMB.tgz", "wb", 1) as file:
        for _ in range(1500):
            file.write(bytes(2**20))
else:
    member = tarfile.TarInfo("x")
    member.type, member.size = tarfile.XHDTYPE, 2**33
    with (folder / "S2A_BOMB.tar").open("wb") as file:
        file.write(member.tobuf())
        file.truncate(2**33 + 4096)
from shapely import box
from landloom.archive.safe.products import SafeArchive
from landloom.model.time import Period
archive = SafeArchive(folder)
assert archive.search(box(-180, -90, 180, 90), Period.year(2018)) == ()
assert "cannot be read" in archive.problems[0].what, archive.problems
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
assert int(peak.split()[1]) < 2**20, "more than 1 GiB"
assert sum(path.stat().st_size for path in (folder / ".landloom").glob("*")) == 0
"""


@pytest.mark.parametrize("kind", ["zeros", "header"])
def test_a_bomb_is_not_unpacked(kind: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), kind], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_folder_that_cannot_be_written_stops_the_build(made: list[Path], tmp_path: Path) -> None:
    """A shortage of this machine is no fault of the product."""
    (tmp_path / "a.tgz").write_bytes(gzip.compress(tarred(made[:1]), 1))
    (tmp_path / FOLDER).touch()
    with pytest.raises(TransientFaultError, match=r"where a\.tgz is unpacked"):
        SafeArchive(tmp_path).search(WORLD, YEAR)
