"""Whole products of a provider: ordered, fetched and verified before a build reads them, and never twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.scenes.providers import EVERYWHERE, FETCH, Without, orders_in, provider, write_recipe
from tests.projects import digest_of, granule_world, write_granules

from landloom.archive.orders.odata import ODataProducts, ODataService
from landloom.archive.orders.provider import CredentialsError
from landloom.archive.orders.states import Order, State
from landloom.archive.orders.tokens import PasswordToken
from landloom.engine.context import build_context
from landloom.engine.scenes.archives import recipe_archive
from landloom.engine.scenes.choose import choose
from landloom.engine.scenes.fetching import JournalOrders, fetch_orders, open_provider
from landloom.errors import InvalidInputError
from landloom.model.recipe import ArchiveSection
from landloom.model.recipe.recipe import MAIN
from landloom.pipelines.build import build
from landloom.pipelines.estimate import estimate_recipe
from landloom.pipelines.registry import REGISTRY
from landloom.simulate.safe.products import SafeForm, simulate_safe_archive
from landloom.simulate.schedule import plan_scenes

if TYPE_CHECKING:
    from pathlib import Path


def test_products_of_a_provider_give_the_same_corpus(
    from_disk: Path, products: dict[str, Path], tmp_path: Path
) -> None:
    """Half of them are offline and ordered, a download is cut; the pixels and the index are those from disk."""
    with provider(products["L2A"], offline=0.5, restore=0.1, failures=2) as (service, href):
        folder = write_recipe(tmp_path, {"kind": "odata", "href": href, "fetch": FETCH})
        numbers = estimate_recipe(folder)
        assert not (folder / "products").exists(), "a plan fetches nothing"
        done = build(folder, provider=service)
    assert numbers.scenes == len(list((folder / "products").glob("*.zip"))) == len(orders_in(folder / "corpus"))
    assert done.scenes > 0
    orders = orders_in(folder / "corpus")
    assert {order.state for order in orders.values()} == {State.DONE}
    assert 0 < sum(order.ordered_at is not None for order in orders.values()) < len(orders)
    ours = {path.relative_to(folder / "corpus"): path.read_bytes() for path in (folder / "corpus").rglob("*.tif")}
    assert ours == {path.relative_to(from_disk): path.read_bytes() for path in from_disk.rglob("*.tif")}


def test_an_edited_file_decides_and_then_no_provider_is_needed(products: dict[str, Path], tmp_path: Path) -> None:
    archive = {"kind": "odata", "fetch": FETCH}
    with provider(products["L2A"], offline=1.0, restore=0.05) as (service, href):
        folder = write_recipe(tmp_path, archive | {"href": href}, scenes={"policy": "least-cloudy 3"})
        project = REGISTRY.open(folder)
        found = choose(project, recipe_archive(project, MAIN, service))
        lines = found.choice.to_csv().replace("\r\n", "\n").splitlines()
        dropped = next(place for place, line in enumerate(lines) if line.startswith("yes"))
        lines[dropped] = "no" + lines[dropped].removeprefix("yes")
        (folder / "scenes.csv").write_text("\n".join(lines))
        write_recipe(tmp_path, archive | {"href": href}, scenes={"file": "scenes.csv"})
        first = build(folder, provider=service)
    fetched = {path.stem for path in (folder / "products").glob("*.zip")}
    assert fetched == set(found.choice.ids) - {lines[dropped].split(",")[-1]}
    whole = digest_of(folder / "corpus")
    again = build(folder)
    assert (first.units_run, again.units_run) == (1, 0)
    assert digest_of(folder / "corpus") == whole


def test_what_is_gone_is_left_out_and_what_fails_is_said(products: dict[str, Path], tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.mkdir()
    for path in products["L2A"].glob("*.zip"):
        (held / path.name).write_bytes(path.read_bytes())
    with provider(held) as (service, href):
        folder = write_recipe(tmp_path / "recipe", {"kind": "odata", "href": href, "fetch": FETCH})
        with pytest.raises(InvalidInputError, match="LANDLOOM_USER"):
            build(folder)
        forgotten = PasswordToken("demo", "wrong", href.replace("/odata/v1", "/token"))
        locked = ODataProducts(ODataService(catalogue=href, download=href), token=forgotten)
        with pytest.raises(CredentialsError, match="password not accepted"):
            build(folder, provider=locked)
        lost = next(name for name in orders_in(folder / "corpus"))
        for one in service.search(EVERYWHERE, REGISTRY.open(folder).recipe.period.value):
            assert one.layers
        done = build(folder, provider=Without(service, lost))
    assert any(note.startswith(lost) for note in done.notes)
    assert lost not in {path.stem for path in (folder / "products").glob("*.zip")}
    assert orders_in(folder / "corpus")[lost].gone


def test_what_was_brought_and_verified_is_not_fetched_again(tmp_path: Path) -> None:
    """Unless its file is of another size; the provider is not even opened where nothing is missing."""
    folder, section = tmp_path / "products", ArchiveSection(kind="odata", href="http://127.0.0.1:9")
    folder.mkdir()
    orders = [
        Order(id="a", href="h", state=State.DONE, size=4),
        Order(id="b", href="h", state=State.DONE),
    ]
    for order in orders:
        (folder / f"{order.id}.zip").write_bytes(b"1234")
    with build_context(tmp_path / "corpus") as context:
        there, missing = fetch_orders(orders, section, folder, context, allow_missing=False)
        assert (there, missing) == (frozenset({"a", "b"}), [])
        (folder / "a.zip").write_bytes(b"12345")
        with pytest.raises(InvalidInputError, match="LANDLOOM_USER"):
            fetch_orders(orders, section, folder, context, allow_missing=False)


@pytest.mark.parametrize(("user", "password"), [(None, "x"), ("x", None), ("", "x"), (None, None)])
def test_an_account_has_a_name_and_a_password(
    monkeypatch: pytest.MonkeyPatch, user: str | None, password: str | None
) -> None:
    for name, value in (("LANDLOOM_USER", user), ("LANDLOOM_PASSWORD", password)):
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInputError, match="LANDLOOM_USER and LANDLOOM_PASSWORD"):
        open_provider(ArchiveSection(kind="odata"))


def test_a_provider_of_ones_own_says_where_it_gives_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name and a password are never sent to an address that the recipe does not name."""
    monkeypatch.setenv("LANDLOOM_USER", "me")
    monkeypatch.setenv("LANDLOOM_PASSWORD", "hush")
    with pytest.raises(InvalidInputError, match=r"archive\.fetch\.tokens") as refused:
        open_provider(ArchiveSection(kind="odata", href="https://example.org"))
    assert "hush" not in str(refused.value)
    open_provider(ArchiveSection(kind="odata"))


@given(st.dictionaries(st.text(min_size=1, max_size=5), st.sampled_from(State), max_size=4))
def test_orders_come_back_from_the_journal(states: dict[str, State]) -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from landloom.engine.journal import Journal

    orders = {name: Order(id=name, href=f"https://example.org/{name}", state=state) for name, state in states.items()}
    with TemporaryDirectory() as folder, Journal(Path(folder) / "j") as journal:
        for order in orders.values():
            JournalOrders(journal).save(order)
        assert JournalOrders(journal).load() == orders


def write_granule(folder: Path, world: Path, *, granule: str = "33UUR", **sections: Any) -> Path:
    """A recipe of chips in one granule, without guess labels."""
    document = write_granules(folder, world) | sections
    del document["guess"]
    document["samples"] |= {"granules": [granule], "chips": 2}
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def test_products_of_a_provider_give_the_same_corpus_of_granules(tmp_path: Path) -> None:
    """Of four products the two that the policy chooses are downloaded, and nothing else."""
    spec = granule_world()
    scenes = [scene for scene in plan_scenes(spec) if scene.granule == "33UUR"][:4]
    zips = tmp_path / "zips"
    simulate_safe_archive(spec, zips, SafeForm(zipped=True), scenes=scenes)
    period = {"start": "2018-01-01", "end": "2018-05-01"}
    chosen: dict[str, Any] = {"period": period, "scenes": {"policy": "least-cloudy 2"}}
    disk = write_granule(tmp_path / "disk", zips, archive={"kind": "safe", "href": str(zips)}, **chosen)
    build(disk)
    with provider(zips, offline=0.5, restore=0.1) as (service, href):
        archive = {"kind": "odata", "href": href, "fetch": FETCH}
        folder = write_granule(tmp_path / "odata", zips, archive=archive, **chosen)
        done = build(folder, provider=service)
    assert done.scenes == len(list((folder / "products").glob("*.zip"))) == 2
    assert {order.state for order in orders_in(folder / "corpus").values()} == {State.DONE}
    chips = {path.relative_to(folder / "corpus"): path.read_bytes() for path in (folder / "corpus").rglob("*.tif")}
    there = disk / "corpus"
    assert chips == {path.relative_to(there): path.read_bytes() for path in there.rglob("*.tif")}
    assert len(chips) >= 4


def test_both_datastrips_of_a_date_are_downloaded_and_shown(tmp_path: Path) -> None:
    spec = granule_world()
    scenes = [one for one in plan_scenes(spec) if one.granule == "32UPA" and f"{one.time:%m-%d}" == "02-20"]
    simulate_safe_archive(spec, tmp_path / "zips", SafeForm(zipped=True), scenes=scenes)
    with provider(tmp_path / "zips") as (service, href):
        archive = {"kind": "odata", "href": href, "fetch": FETCH}
        chosen: dict[str, Any] = {"scenes": {"policy": "least-cloudy 1"}}
        folder = write_granule(tmp_path / "odata", tmp_path / "zips", granule="32UPA", archive=archive, **chosen)
        done = build(folder, provider=service)
    assert done.scenes == len(list((folder / "products").glob("*.zip"))) == len(scenes) == 2
    (lineage,) = (folder / "corpus").glob("lineage/**/S2-L2A.json")
    (step,) = json.loads(lineage.read_text(encoding="utf-8"))["timesteps"]
    assert (step["timestep"], len(step["scenes"]), step["left_out"]) == ("2018-02-20", 2, [])
