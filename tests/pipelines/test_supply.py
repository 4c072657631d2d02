"""SAFE products, on disk or at a provider, as the archive of a recipe; what tells usable pixels of them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml
from tests.pipelines.test_series import RECIPE, write

from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.states import State
from landloom.archive.orders.tokens import PasswordToken
from landloom.archive.safe.masks import product_mask
from landloom.archive.safe.products import SafeArchive
from landloom.corpus.audit.check import audit, digest
from landloom.corpus.finished import Existing
from landloom.engine.archives import JournalOrders, provider_archive
from landloom.engine.context import JOURNAL
from landloom.engine.journal import Journal
from landloom.engine.project import Project
from landloom.engine.reading import source_window
from landloom.engine.scenes import choose
from landloom.errors import InvalidInputError, PermanentFaultError, RecipeError
from landloom.formats.geotiff import decode_geotiff
from landloom.imagery.valid import data_valid, scl_valid
from landloom.pipelines.build import build
from landloom.pipelines.plan import make_plan
from landloom.simulate.safe.archive import SafeForm, simulate_safe_archive
from landloom.simulate.schedule import plan_scenes
from landloom.simulate.server import ArchiveServer, Habits
from landloom.simulate.spec import world_spec
from landloom.store.open import open_store
from landloom.store.raster import read_window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from landloom.archive.orders.states import Order

FETCH = {"order_every": 0.05, "poll_every": 0.05, "first_retry": 0.05}
SCENES = [scene for scene in plan_scenes(world_spec("tiny")) if scene.granule in {"33UUR", "32UQA"}]


@pytest.fixture(scope="module")
def products(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Products of the eastern place by level: Level-2A zipped, Level-1C as folders with old and new masks."""
    folder = tmp_path_factory.mktemp("products")
    for level in ("L2A", "L1C"):
        form = SafeForm(level=level, zipped=level == "L2A", old=level == "L1C")
        simulate_safe_archive("tiny", folder / level, form, scenes=SCENES, labels=False)
    return {level: folder / level for level in ("L2A", "L1C")}


def recipe(folder: Path, archive: dict[str, Any], **changes: Any) -> Path:
    """A recipe of windows without labels over the eastern place."""
    write(folder, folder, layouts=["chips"])
    document = yaml.safe_load(RECIPE) | {"layouts": ["chips"], "archive": archive} | changes
    del document["parcels"]
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document))
    return folder


@contextmanager
def provider(folder: Path, **habits: Any) -> Iterator[tuple[ODataProducts, str]]:
    settings = Habits(retry_after=0, **habits)
    with ArchiveServer(folder, settings) as server:
        service = ODataService(catalogue=server.catalogue, download=server.catalogue)
        yield ODataProducts(service, token=PasswordToken("demo", "demo", server.tokens)), server.catalogue


def orders_of(corpus: Path) -> dict[str, Order]:
    with Journal(corpus / JOURNAL) as journal:
        return dict(JournalOrders(journal).load())


@pytest.fixture(scope="module")
def from_disk(products: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = recipe(tmp_path_factory.mktemp("disk"), {"kind": "safe", "href": str(products["L2A"])})
    build(folder)
    return folder / "corpus"


def test_products_on_disk_become_a_corpus_pixel_by_pixel(from_disk: Path, products: dict[str, Path]) -> None:
    there = Existing.open(str(from_disk))
    assert audit(there.store, digests=True).problems == ()
    scenes = {scene.id: scene for scene in SafeArchive(products["L2A"]).search(_everywhere(), there.info.period)}
    compared = 0
    for tile, samples in there.tiles.items():
        for step in json.loads(there.store.get(f"lineage/{tile.replace('_', '/')}/S2-10M.json"))["timesteps"]:
            assert {scene["validity"] for scene in step["scenes"]} <= {"SCL"}
            if [scene["granule"] for scene in step["scenes"]] != ["33UUR"]:
                continue
            scene = scenes[step["scenes"][0]["id"]]
            for sample in samples[::6]:
                key = there.info.layout.chip(sample.id, there.info.product("s2_10m").product, step["timestep"])
                if not there.store.exists(key):
                    continue
                chip, grid, _ = decode_geotiff(there.store.get(key))
                asset = scene.assets["B03"]
                want = read_window(asset.href, grid).astype(np.int64)
                want = np.where(want == 0, 0, np.maximum(want + asset.offset, 1))
                np.testing.assert_array_equal(chip[1], want)
                mask = decode_geotiff(there.store.get(key.replace("S2-10M", "S2-VALID")))[0][0]
                inner = source_window(grid.at(20), grid)
                assert inner is not None
                clear = scl_valid(read_window(scene.assets["SCL"].href, inner), clear=(4, 5, 6, 7, 11))
                data = np.logical_and.reduce([data_valid(band) for band in chip])
                np.testing.assert_array_equal(mask.astype(bool), clear.repeat(2, 0).repeat(2, 1) & data)
                compared += 1
    assert compared > 5


def _everywhere() -> Any:
    import shapely

    return shapely.box(-180, -90, 180, 90)


def test_products_of_a_provider_give_the_same_corpus(
    from_disk: Path, products: dict[str, Path], tmp_path: Path
) -> None:
    """Half of them are offline and ordered, a download is cut; the pixels and the index are those from disk."""
    with provider(products["L2A"], offline=0.5, restore=0.1, failures=2) as (service, href):
        folder = recipe(tmp_path, {"kind": "odata", "href": href, "fetch": FETCH})
        plan = make_plan(Project.open(folder))
        assert not (folder / "products").exists(), "a plan fetches nothing"
        done = build(folder, provider=service)
    assert plan.scene_count == len(list((folder / "products").glob("*.zip"))) == len(orders_of(folder / "corpus"))
    assert done.scenes > 0
    orders = orders_of(folder / "corpus")
    assert {order.state for order in orders.values()} == {State.DONE}
    assert 0 < sum(order.ordered_at is not None for order in orders.values()) < len(orders)
    ours = {path.relative_to(folder / "corpus"): path.read_bytes() for path in (folder / "corpus").rglob("*.tif")}
    assert ours == {path.relative_to(from_disk): path.read_bytes() for path in from_disk.rglob("*.tif")}


def test_an_edited_file_decides_and_then_no_provider_is_needed(products: dict[str, Path], tmp_path: Path) -> None:
    archive = {"kind": "odata", "fetch": FETCH}
    with provider(products["L2A"], offline=1.0, restore=0.05) as (service, href):
        folder = recipe(tmp_path, archive | {"href": href}, scenes={"policy": "least-cloudy 3"})
        project = Project.open(folder)
        found = choose(project, archive=provider_archive(project, service))
        lines = found.choice.to_csv().replace("\r\n", "\n").splitlines()
        dropped = next(place for place, line in enumerate(lines) if line.startswith("yes"))
        lines[dropped] = "no" + lines[dropped].removeprefix("yes")
        (folder / "scenes.csv").write_text("\n".join(lines))
        recipe(tmp_path, archive | {"href": href}, scenes={"file": "scenes.csv"})
        first = build(folder, provider=service)
    fetched = {path.stem for path in (folder / "products").glob("*.zip")}
    assert fetched == set(found.choice.ids) - {lines[dropped].split(",")[-1]}
    whole = digest(open_store(str(folder / "corpus")))
    again = build(folder)
    assert (first.units_run, again.units_run) == (1, 0)
    assert digest(open_store(str(folder / "corpus"))) == whole


def test_what_is_gone_is_left_out_and_what_fails_is_said(products: dict[str, Path], tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.mkdir()
    for path in products["L2A"].glob("*.zip"):
        (held / path.name).write_bytes(path.read_bytes())
    with provider(held) as (service, href):
        folder = recipe(tmp_path / "recipe", {"kind": "odata", "href": href, "fetch": FETCH})
        with pytest.raises(InvalidInputError, match="LANDLOOM_USER"):
            build(folder)
        forgotten = PasswordToken("demo", "wrong", href.replace("/odata/v1", "/token"))
        locked = ODataProducts(ODataService(catalogue=href, download=href), token=forgotten)
        with pytest.raises(InvalidInputError, match="none of the chosen products any more"):
            build(folder, provider=locked)
        lost = next(name for name in orders_of(folder / "corpus"))
        for one in service.search(_everywhere(), Project.open(folder).recipe.period.value):
            assert one.assets
        done = build(folder, provider=_Without(service, lost))
    assert any(note.startswith(lost) for note in done.notes)
    assert lost not in {path.stem for path in (folder / "products").glob("*.zip")}
    assert orders_of(folder / "corpus")[lost].gone


class _Without(ODataProducts):
    """A provider that has lost a product between search and download."""

    def __init__(self, inner: ODataProducts, lost: str) -> None:
        self.__dict__ |= inner.__dict__
        self._lost = lost

    def is_online(self, order: Order) -> bool:
        if order.id == self._lost:
            raise PermanentFaultError(f"{order.href}: HTTP 410")
        return super().is_online(order)


def test_level_1c_says_what_told_its_pixels(products: dict[str, Path], tmp_path: Path) -> None:
    """The published mask is the product's own, and `corpus.json` and lineage name what it was made of."""
    folder = recipe(tmp_path, {"kind": "safe", "href": str(products["L1C"]), "level": "L1C"})
    build(folder)
    there = Existing.open(str(folder / "corpus"))
    assert set(there.info.product("s2_valid").validity) == {"MSK_CLASSI, MSK_QUALIT", "MSK_CLOUDS"}
    scenes = {scene.id: scene for scene in SafeArchive(products["L1C"]).search(_everywhere(), there.info.period)}
    bands = there.info.recipe["products"]["s2_native"]["bands"]
    cloudy = compared = 0
    for tile, samples in there.tiles.items():
        for step in json.loads(there.store.get(f"lineage/{tile.replace('_', '/')}/S2-10M.json"))["timesteps"]:
            if [scene["granule"] for scene in step["scenes"]] != ["33UUR"]:
                continue
            scene = scenes[step["scenes"][0]["id"]]
            for sample in samples[::6]:
                key = there.info.layout.chip(sample.id, there.info.product("s2_10m").product, step["timestep"])
                if not there.store.exists(key):
                    continue
                chip, grid, _ = decode_geotiff(there.store.get(key))
                mask = decode_geotiff(there.store.get(key.replace("S2-10M", "S2-VALID")))[0][0].astype(bool)
                own = product_mask(scene, grid, bands).valid
                np.testing.assert_array_equal(mask, own & np.logical_and.reduce([data_valid(band) for band in chip]))
                cloudy += int((~own).sum())
                compared += 1
    assert compared > 5
    assert cloudy > 0


def test_level_1c_without_masks_counts_by_nodata_alone(products: dict[str, Path], tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    for product in sorted(products["L1C"].glob("*.SAFE"))[:4]:
        for path in product.rglob("*"):
            if path.is_file() and "MSK_" not in path.name:
                target = bare / path.relative_to(products["L1C"])
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(path)
    folder = recipe(tmp_path, {"kind": "safe", "href": str(bare), "level": "L1C"})
    build(folder)
    info = Existing.open(str(folder / "corpus")).info
    assert info.product("s2_10m").validity == ("nodata only",)


def test_nothing_to_build_from_is_said(products: dict[str, Path], tmp_path: Path) -> None:
    archive = {"kind": "safe", "href": str(products["L2A"])}
    folder = recipe(tmp_path, archive)
    text = choose(Project.open(folder)).choice.to_csv()
    (folder / "scenes.csv").write_text(text.replace("yes,", "no,"))
    recipe(tmp_path, archive, scenes={"file": "scenes.csv"})
    with pytest.raises(InvalidInputError, match=r"none of its \d+ lines says yes"):
        build(folder)
    recipe(tmp_path, archive, scenes={"levels": ["L1C"]})
    with pytest.raises(InvalidInputError, match="loosen"):
        build(folder)
    with pytest.raises(RecipeError, match="wanted href"):
        build(recipe(tmp_path, {"kind": "safe"}))
