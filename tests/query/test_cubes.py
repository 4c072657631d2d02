"""Labelled arrays hold exactly the pixels of the chips, from either layout."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xarray as xr
from tests.corpus.conftest import CLC, COPERNICUS, PLANET, PUBLICATION, make_fractions, make_samples

from landloom.corpus.documents import corpus_json
from landloom.corpus.index import SampleTable, index_bytes, index_table
from landloom.corpus.info import CorpusInfo, ProductInfo
from landloom.corpus.manifest import FileEntry, manifest_bytes
from landloom.errors import InvalidInputError, MissingKeyError, NotFoundError
from landloom.formats.geotiff import encode_geotiff
from landloom.formats.zarr.cubes import CubeSpec, encode_cubes
from landloom.model.ids import ChipId
from landloom.model.product import Product, product
from landloom.model.sample import Sample
from landloom.model.sensor import Band
from landloom.model.taxonomy import taxonomy
from landloom.model.time import Cadence, Period
from landloom.query.corpus import Corpus
from landloom.query.cql2.mask import evaluate_mask
from landloom.query.transfer.parts import selection_files
from landloom.store.local import LocalStore

if TYPE_CHECKING:
    from numpy.typing import NDArray

PERIOD = Period.parse("2018-01-01", "2018-01-21")
PIXELS = {"pfsr": (4, 4, 200, 200), "pfqa": (4, 9, 200, 200)}
KEYS = ("pfsr", "pfqa")
CLASSES = Product(
    key="classes",
    folder=None,
    collection="labels_parcels",
    prefix="classes",
    kind="raster-labels",
    title="Parcel classes",
    resolution=10,
    dtype="uint8",
    nodata=None,
    bands=(Band(name="classes", description="Code of the class of the parcel that covers most", resolution=10),),
)
ABSENT = 2
"""A timestep of the first sample without a chip."""


def put_chips(
    store: LocalStore,
    info: CorpusInfo,
    item: Product,
    samples: list[Sample],
    data: NDArray[Any],
    exists: NDArray[np.bool_],
) -> None:
    for number, place in np.argwhere(exists):
        chip = encode_geotiff(data[number, place], samples[number].grid(3), nodata=0)
        step = info.product(item.key).timesteps[place]
        store.put(info.layout.chip(samples[number].id, item, step.name), chip)


def put_cubes(
    store: LocalStore, info: CorpusInfo, item: Product, samples: list[Sample], data: NDArray[Any], _: NDArray[np.bool_]
) -> None:
    steps = info.product(item.key).timesteps
    spec = CubeSpec(
        samples=tuple(str(sample.id) for sample in samples),
        timesteps=tuple(step.name for step in steps),
        times=tuple(step.stamp for step in steps),
        bands=tuple(band.name for band in item.bands),
        corners=tuple((sample.bounds[0], sample.bounds[3]) for sample in samples),
        height=200,
        width=200,
        dtype=item.dtype,
        nodata=0,
        epsg=32633,
        resolution=3.0,
    )
    for name, content in encode_cubes(spec, data):
        store.put(f"{info.layout.cube(samples[0].id, item)}/{name}", content)


def build(folder: Path, layout: str) -> tuple[Corpus, dict[tuple[str, str], NDArray[Any]], NDArray[np.int64]]:
    """A corpus of three samples in one layout, its cubes by sample and product, and its labels in index order."""
    rng = np.random.default_rng(1)
    steps = Cadence.parse("5 days").timesteps(PERIOD)
    info = CorpusInfo(
        name="pixels",
        version="1.0",
        publication=PUBLICATION,
        products=(
            *(ProductInfo(product=product(key), terms=PLANET, timesteps=steps) for key in KEYS),
            ProductInfo(product=product("labels"), terms=CLC, taxonomy=taxonomy("clc"), stated_period=PERIOD),
            ProductInfo(product=CLASSES, terms=CLC, taxonomy=taxonomy("clc"), label_version="2"),
        ),
        layouts=(layout,),
    )
    samples = sorted(make_samples("33N_16E-243N", 3, 4), key=lambda sample: str(sample.id))
    exists = {key: np.ones((3, 4), dtype=bool) for key in KEYS} | {"labels": np.ones((3, 1), dtype=bool)}
    exists["classes"] = np.ones((3, 1), dtype=bool)
    exists["pfsr"][0, ABSENT] = False
    store = LocalStore(folder)
    cubes: dict[tuple[str, str], NDArray[Any]] = {}
    for key in KEYS:
        data = rng.integers(0, 50, (3, *PIXELS[key])).astype(product(key).dtype)
        data[~exists[key]] = 0
        cubes |= {(str(sample.id), key): part for sample, part in zip(samples, data, strict=True)}
        (put_chips if layout == "chips" else put_cubes)(store, info, product(key), samples, data, exists[key])
    for sample in samples:
        cubes[str(sample.id), "classes"] = rng.integers(0, 45, (1, 1, 60, 60)).astype(CLASSES.dtype)
        raster = encode_geotiff(cubes[str(sample.id), "classes"][0], sample.grid(10))
        store.put(info.layout.raster_label(sample.id, "classes", "2"), raster)
    entries = [FileEntry.of(item.key, store.get(item.key)) for item in store.list("")]
    store.put("manifest/33N/16E-243N.parquet", manifest_bytes(entries))
    shares = make_fractions(3)
    table = index_table(info, SampleTable.of(samples), {"labels": shares}, exists)
    store.put("index/samples.parquet", index_bytes(table))
    store.put("corpus.json", corpus_json(info))
    order = [[str(sample.id) for sample in samples].index(name) for name in table.column("id").to_pylist()]
    return Corpus.open(folder, cache=folder.parent / f"{layout}-cache"), cubes, shares[order]


@pytest.fixture(scope="module", params=["chips", "cubes"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return build(tmp_path_factory.mktemp("pixels") / request.param, request.param)


def test_a_cube_holds_the_pixels_of_its_chips(built: Any) -> None:
    corpus, cubes, _ = built
    selection = corpus.query()
    for identity in selection.ids:
        cube = selection.cube(identity, "pfsr")
        assert np.array_equal(cube.to_numpy(), cubes[identity, "pfsr"])
        assert cube.dims == ("time", "band", "y", "x")
        assert list(cube["band"].to_numpy()) == ["blue", "green", "red", "nir"]
        assert [str(stamp)[:16] for stamp in cube["time"].to_numpy()] == [
            f"2018-01-{day:02d}T10:30" for day in (3, 8, 13, 18)
        ]
    first = min(selection.ids)
    observed = selection.cube(first, "pfsr")["observed"].to_numpy().tolist()
    assert observed == [place != ABSENT for place in range(4)]
    present = selection.cube(first, "pfsr", observed_only=True)
    assert present["observed"].all()
    np.testing.assert_array_equal(present, selection.cube(first, "pfsr").isel(time=observed))


def test_lists_hold_only_what_exists(built: Any) -> None:
    corpus, _, _ = built
    selection = corpus.query(products=["pfsr", "pfqa", "classes"])
    there = {path.relative_to(corpus.base).as_posix() for path in Path(corpus.base).rglob("*") if path.is_file()}
    paths = selection.assets.paths()
    assert set(paths) <= there
    chips = "chips" in corpus.info.layouts
    assert len(paths) == (3 if not chips else 3 + 2 * 3 * 4 - 1)
    assert selection.cubes == (() if chips else tuple(f"imagery/33N/16E-243N/PF-{kind}.zarr" for kind in ("SR", "QA")))
    assert ("cubes: 2" in selection.describe()) == (not chips)
    files = selection_files(selection, LocalStore(Path(corpus.base)))
    assert {item.path for item in files} == {path for path in there if path.startswith(("imagery/", "labels/"))}
    assert all(item.sha256 for item in files)
    few = selection_files(corpus.query(products="classes"), LocalStore(Path(corpus.base)))
    assert len(few) == 3
    if not chips:
        with pytest.raises(InvalidInputError, match=r"PF-SR\.zarr and no manifest"):
            selection_files(selection)


def test_raster_labels_are_cubes_too(built: Any) -> None:
    corpus, cubes, _ = built
    selection = corpus.query()
    for identity in selection.ids:
        cube = selection.cube(identity, "classes")
        assert np.array_equal(cube.to_numpy(), cubes[identity, "classes"])
        assert cube.dtype == CLASSES.dtype
    many = selection.load("classes").compute(scheduler="synchronous")
    assert np.array_equal(many.to_numpy(), np.stack([cubes[identity, "classes"] for identity in selection.ids]))


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
def test_coordinates_are_pixel_centres_in_a_crs(built: Any) -> None:
    import odc.geo.xr  # noqa: F401 - registers the accessor

    corpus, _, _ = built
    selection = corpus.query()
    cube = selection.cube(0, "pfsr")
    west, south, east, north = selection.sidecar.squares(selection.rows[:1])[0]
    assert cube.odc.geobox.crs.epsg == 32633
    assert tuple(cube.odc.geobox.boundingbox) == (west, south, east, north)
    assert cube["y"][0] > cube["y"][-1]


def test_periods_and_bands_narrow_the_cube(built: Any) -> None:
    corpus, cubes, _ = built
    selection = corpus.query(products="pfsr", period=("2018-01-05", "2018-01-14"), bands=["nir", "blue"])
    identity = selection.ids[1]
    assert np.array_equal(selection.cube(identity, "pfsr").to_numpy(), cubes[identity, "pfsr"][1:3][:, [3, 0]])


def test_masks_name_quality_layers(built: Any) -> None:
    corpus, cubes, _ = built
    selection = corpus.query()
    for identity in selection.ids:
        cube = selection.cube(identity, "pfsr", mask="synthetic <= 20 and days <= 25 and not cloud >= 40")
        quality = cubes[identity, "pfqa"]
        usable = (quality[:, 0] <= 20) & (quality[:, 1] <= 25) & ~(quality[:, 2] >= 40)
        assert np.array_equal(cube.to_numpy(), np.where(usable[:, None], cubes[identity, "pfsr"], 0))
        assert 0.05 < usable.mean() < 0.5
    with pytest.raises(NotFoundError, match="synthetic"):
        selection.cube(0, "pfsr", mask="synthetik < 3")


def test_many_samples_are_lazy_and_equal(built: Any) -> None:
    corpus, cubes, shares = built
    selection = corpus.query(period=("2018-01-01", "2018-01-10"))
    many = selection.load("pfsr", with_labels=True)
    assert many.chunks[0] == (1, 1, 1)
    assert many.dims == ("sample", "time", "band", "y", "x")
    computed = many.compute(scheduler="synchronous").to_numpy()
    for place, identity in enumerate(selection.ids):
        assert np.array_equal(computed[place], cubes[identity, "pfsr"][:2])
    labels = np.stack([many[column].to_numpy() for column in taxonomy("clc").columns()], axis=1)
    assert np.array_equal(labels, shares / 1e6)
    with pytest.raises(InvalidInputError, match="empty"):
        corpus.query(limit=0).load("pfsr")
    assert corpus.query(limit=1).load("pfsr", with_labels=True)["clc_112"].shape == (1,)


def test_labels_join_a_cube(built: Any) -> None:
    corpus, _, shares = built
    cube = corpus.query().cube(2, "pfsr", with_labels=True)
    assert [float(cube[column]) for column in taxonomy("clc").columns()] == (shares[2] / 1e6).tolist()


def test_what_a_selection_keeps_open_stays_behind_when_it_travels(built: Any) -> None:
    corpus, _, _ = built
    selection = corpus.query()
    first = selection.cube(0, "pfsr")
    assert "pfsr" in selection.opened
    for other in (pickle.loads(pickle.dumps(selection)), copy.deepcopy(selection), replace(selection)):
        assert "pfsr" not in other.opened
        assert other.ids == selection.ids
        xr.testing.assert_identical(other.cube(0, "pfsr"), first)
    first[:] = 1
    assert (selection.cube(0, "pfsr") != 1).any(), "cubes share nothing"


def test_what_cannot_be_loaded_is_named(built: Any) -> None:
    corpus, _, _ = built
    selection = corpus.query()
    with pytest.raises(NotFoundError, match="pfsr"):
        selection.cube(0, "pfs")
    with pytest.raises(InvalidInputError, match="no bands"):
        selection.cube(0, "labels")
    with pytest.raises(NotFoundError, match="sample"):
        selection.cube("33N_16E-243N_40_40", "pfsr")


def test_a_chip_that_should_be_there_is_missed(tmp_path: Path) -> None:
    corpus, _, _ = build(tmp_path / "chips", "chips")
    selection = corpus.query(products="pfsr")
    (tmp_path / "chips" / selection.assets[-1].path).unlink()
    with pytest.raises(MissingKeyError, match="PF-SR"):
        selection.cube(len(selection) - 1, "pfsr")


def test_bands_in_files_of_their_own_are_joined(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    steps = Cadence.parse("month").timesteps(Period.parse("2018-01-01", "2018-03-01"))
    item = replace(product("s2"), bands=product("s2").bands[:3])
    info = CorpusInfo(
        name="granules",
        version="1.0",
        scheme="granule",
        publication=PUBLICATION,
        products=(ProductInfo(product=item, terms=COPERNICUS, timesteps=steps),),
    )
    sample = Sample(id=ChipId.parse("33TWL_07"), epsg=32633, bounds=(500_000, 5_000_000, 500_320, 5_000_320))
    store, data = LocalStore(tmp_path / "corpus"), rng.integers(1, 9_000, (2, 3, 32, 32)).astype("uint16")
    for place, step in enumerate(steps):
        for number, band in enumerate(item.bands):
            path = info.layout.chip(sample.id, item, step.name, band.name)
            store.put(path, encode_geotiff(data[place, number][None], sample.grid(10), nodata=0))
    table = index_table(info, SampleTable.of([sample]), {}, {"s2": np.ones((1, 2), dtype=bool)})
    store.put("index/samples.parquet", index_bytes(table))
    store.put("corpus.json", corpus_json(info))
    selection = Corpus.open(store.root, cache=tmp_path / "cache").query()
    assert sorted(selection.assets.paths()) == sorted(entry.key for entry in store.list("imagery"))
    assert np.array_equal(selection.cube("33TWL_07", "s2").to_numpy(), data)
    narrow = replace(selection, bands=(item.bands[2].name,))
    assert len(narrow.assets) == 2
    assert np.array_equal(narrow.cube(0, "s2").to_numpy(), data[:, 2:])


LAYERS = {"days": np.array([1, 9, 2, 5]), "cloud": np.array([0, 0, 1, 1]), "synthetic": np.array([0, 50, 10, 20])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("days <= 5", [True, False, True, True]),
        ("0 < days < 5 or cloud", [True, False, True, True]),
        ("not (cloud or synthetic > 20)", [True, False, False, False]),
        ("cloud == 1 and synthetic != 10", [False, False, False, True]),
        ("-1 < cloud", [True, True, True, True]),
    ],
)
def test_masks_mean_what_they_say(text: str, expected: list[bool]) -> None:
    assert evaluate_mask(text, LAYERS).tolist() == expected


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "days.real > 1",
        "days + 1 > 2",
        "1 < 2",
        "days if cloud else days",
        "days <",
        "",
        "lambda: 1",
        "days > 'x'",
        "days in cloud",
        "(" * 300 + "days" + ")" * 300,
        "days " + "and days " * 300,
        "True",
    ],
)
def test_nothing_else_can_be_said_in_a_mask(text: str) -> None:
    with pytest.raises(InvalidInputError, match="mask"):
        evaluate_mask(text, LAYERS)
