"""Lazy assets: lengths, slices, lists and addresses agree with a plain loop over what exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.corpus.layout import Layout
from landloom.errors import InvalidInputError, InvalidValueError, NotFoundError
from landloom.model.ids import parse_sample_id
from landloom.model.product import product
from landloom.query.index.rapidai4eo import published_steps
from landloom.query.published import get_asset_hrefs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.query.conftest import Truth

MONTHS, FIVE_DAYS = ([step.name for step in published_steps(key)] for key in ("s2", "pfsr"))


def expected_paths(truth: Truth, keys: tuple[str, ...] = ("s2", "labels")) -> list[str]:
    layout, scheme = Layout(name="own", version="1.0"), truth.corpus.sidecar.scheme
    paths = []
    for row, identity in enumerate(truth.ids):
        sample = parse_sample_id(scheme, identity)
        for key in keys:
            for place in np.flatnonzero(truth.exists[key][row]).tolist():
                if key == "labels":
                    paths.append(layout.label(sample))
                elif scheme == "granule":
                    bands = [band.name for band in product("s2").bands]
                    paths += [layout.chip(sample, product("s2"), MONTHS[place], band) for band in bands]
                else:
                    paths.append(layout.chip(sample, product("s2"), MONTHS[place]))
    return paths


def test_paths_are_those_of_the_layout_for_what_exists(own: Truth) -> None:
    assets = own.corpus.query().assets
    expected = expected_paths(own)
    assert assets.paths() == expected
    assert len(assets) == len(expected)
    assert assets.hrefs() == [f"{own.folder}/{path}" for path in expected]


def test_slices_and_items_are_parts_of_the_whole(own: Truth) -> None:
    assets = own.corpus.query(products="s2").assets
    whole = expected_paths(own, ("s2",))
    rng = np.random.default_rng(0)
    for _ in range(30):
        start, stop = sorted(rng.integers(0, len(whole) + 1, 2).tolist())
        part = assets[start:stop]
        assert len(part) == stop - start
        assert part.paths() == whole[start:stop]
        assert part[3:7].paths() == whole[start:stop][3:7]
    assert [assets[place].path for place in (0, 17, -1)] == [whole[0], whole[17], whole[-1]]
    assert [asset.path for asset in assets[5:12]] == whole[5:12]
    with pytest.raises(IndexError):
        assets[len(assets)]
    with pytest.raises(InvalidInputError, match="step"):
        assets[::2]


def test_lists_hold_one_path_a_line(own: Truth, tmp_path: Path) -> None:
    assets = own.corpus.query(products="s2").assets
    assert assets.write_list(tmp_path / "list.txt") == len(assets)
    assert (tmp_path / "list.txt").read_text().splitlines() == assets.paths()
    assets.write_list(tmp_path / "list.txt", absolute=True)
    assert (tmp_path / "list.txt").read_text().splitlines() == assets.hrefs()


def test_arrow_says_the_same(own: Truth) -> None:
    part = own.corpus.query().assets[100:400]
    table = part.to_arrow().to_pylist()
    assert [row["path"] for row in table] == part.paths()
    assert [(row["id"], row["product"], row["timestep"]) for row in table] == [
        (asset.sample, asset.product, asset.timestep) for asset in part
    ]


def test_granules_have_a_file_for_each_band(granules: Truth) -> None:
    """As their scheme has it, where nothing but the index describes a corpus."""
    layout, s2 = Layout(name="own", version="1.0", scheme="granule"), product("s2")
    paths = []
    for row, identity in enumerate(granules.ids):
        sample = parse_sample_id("granule", identity)
        steps = np.flatnonzero(granules.exists["s2"][row]).tolist()
        paths += [layout.chip(sample, s2, MONTHS[place], band.name) for place in steps for band in s2.bands]
        paths.append(layout.label(sample))
    assert granules.corpus.query().assets.paths() == paths


def test_published_corpus_agrees_with_the_helper(published: Truth) -> None:
    selection = published.corpus.query(where="clc_412 > 0.5", products=["pfsr", "pfqa", "s2"])
    assert len(selection) > 3
    base = published.corpus.base
    hrefs = [href for sample in selection.ids for href in get_asset_hrefs(sample, base_url=base)]
    assert selection.assets.hrefs() == hrefs


def test_periods_are_half_open_and_months_stand_at_mid_month(published: Truth) -> None:
    corpus = published.corpus

    def names(key: str, start: str, end: str) -> list[str | None]:
        chosen = corpus.query(where="clc_412 > 0.5", limit=1, products=key, period=(start, end))
        return [asset.timestep for asset in chosen.assets]

    assert names("s2", "2018-01-15T10:30:00Z", "2018-02-15T10:30:00Z") == ["2018-01"]
    assert names("s2", "2018-01-15T10:30:01Z", "2018-02-15T10:30:01Z") == ["2018-02"]
    assert names("pfsr", "2018-01-03T10:30", "2018-01-08T10:30") == ["2018-01-03"]
    assert names("pfsr", "2018-01-03", "2018-01-08") == ["2018-01-03"]
    assert names("s2", "2018-01-01", "2019-01-01") == MONTHS
    assert names("pfsr", "2018-01-01", "2020-01-01") == FIVE_DAYS
    assert names("labels", "2030-01-01", "2031-01-01") == [None]
    with pytest.raises(InvalidValueError, match="before it begins"):
        corpus.query(period=("2019-01-01", "2018-01-01"))


def test_unknown_products_and_bands_name_the_nearest(published: Truth) -> None:
    with pytest.raises(NotFoundError, match="pfsr"):
        published.corpus.query(products="pfs")
    with pytest.raises(NotFoundError, match="B02"):
        published.corpus.query(products="s2", bands=["B2"])
    assert published.corpus.query(products="s2", bands="B02", limit=1).bands == ("B02",)


def test_an_empty_selection_has_no_assets(published: Truth) -> None:
    assets = published.corpus.query(limit=0).assets
    assert (len(assets), assets.hrefs(), list(assets), assets[:5].paths()) == (0, [], [], [])


def test_lists_longer_than_a_block_are_whole(published: Truth) -> None:
    selection = published.corpus.query(limit=300, products=["pfsr", "pfqa", "s2"])
    assets = selection.assets
    assert len(list(assets.lines())) > 1
    whole = assets.paths()
    assert whole == [href.removeprefix("x/") for own in selection.ids for href in get_asset_hrefs(own, base_url="x")]
    assert assets[5:-7].paths() == whole[5:-7]
    assert assets[50_000:].paths() == whole[50_000:]
    assert assets[:50_000].paths() == whole[:50_000]


def test_a_frame_has_a_row_for_each_file(own: Truth) -> None:
    files = own.corpus.query(period="2018-06", limit=40).assets
    frame = files.to_dataframe()
    assert frame.path.tolist() == files.paths()
    assert frame.href.tolist() == files.hrefs()
    assert frame[frame["product"] == "labels"].timestep.isna().all()
    assert set(frame[frame["product"] == "s2"].timestep) == {"2018-06"}
    assert files.to_arrow().column("id").to_pylist() == frame["id"].tolist()
