"""Selections: set algebra, counts, histograms and links agree with plain columns."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from landloom.errors import InvalidInputError, NotFoundError
from landloom.model.crosswalk import crosswalk
from landloom.model.taxonomy import taxonomy

if TYPE_CHECKING:
    from tests.query.conftest import Truth

    from landloom.query.assets import Asset


def test_set_algebra_is_that_of_sets_and_keeps_index_order(own: Truth) -> None:
    corpus = own.corpus
    a, b = corpus.query(where="clc_3 > 0.3"), corpus.query(where="stratum = 'DE'")
    left, right = set(a.ids), set(b.ids)
    for combined, expected in ((a | b, left | right), (a & b, left & right), (a - b, left - right)):
        assert set(combined.ids) == expected
        assert list(combined.ids) == [identity for identity in own.ids if identity in expected]


def test_selections_of_two_corpora_do_not_mix(own: Truth, published: Truth) -> None:
    with pytest.raises(InvalidInputError, match="two corpora"):
        own.corpus.query() | published.corpus.query()


def test_a_selection_cannot_be_changed(own: Truth) -> None:
    selection = own.corpus.query()
    with pytest.raises(ValueError, match="read-only"):
        selection.rows[0] = 3
    with pytest.raises(AttributeError):
        setattr(selection, "products", ())  # noqa: B010 - mypy would refuse it before Python does


def test_counts_and_histogram(own: Truth) -> None:
    selection = own.corpus.query(where="clc_3 > 0.3")
    rows = [own.ids.index(identity) for identity in selection.ids]
    assert selection.counts("stratum") == dict(Counter(own.stratum[row] for row in rows))
    assert selection.counts("zone") == dict(Counter(identity[:3] for identity in selection.ids))
    sums = own.shares[rows].sum(axis=0)
    clc = taxonomy("clc")
    fine = zip(clc.columns(), sums.tolist(), strict=True)
    assert selection.histogram() == {column: total / 1e6 for column, total in fine if total}
    coarse = clc.aggregate(sums, 1).tolist()
    assert selection.histogram(1) == {
        column: total / 1e6 for column, total in zip(clc.columns(1), coarse, strict=True) if total
    }
    assert sum(selection.histogram(2).values()) == pytest.approx(len(selection))
    with pytest.raises(NotFoundError, match="stratum"):
        selection.counts("strata")


def test_strata_and_splits(own: Truth) -> None:
    chosen = own.corpus.query(strata=["DE", "FI"], split="train")
    pairs = zip(own.ids, own.stratum, own.split, strict=True)
    assert list(chosen.ids) == [i for i, s, p in pairs if s in ("DE", "FI") and p == "train"]
    with pytest.raises(NotFoundError, match="FI"):
        own.corpus.query(strata="FI_")
    with pytest.raises(NotFoundError, match="train"):
        own.corpus.query(split="trian")


def test_shares_in_another_taxonomy_are_sums_by_the_crosswalk(own: Truth) -> None:
    fine, coarse = own.corpus.query().fractions(), own.corpus.query().fractions("landcovernet")
    assert list(coarse) == list(taxonomy("landcovernet").columns())
    for target in taxonomy("landcovernet").codes():
        sources = [row.source for row in crosswalk("clc_landcovernet").rows if row.target == target]
        summed = sum((fine[f"clc_{code}"] for code in sources), np.zeros(len(own.ids)))
        assert coarse[f"lcn_{target}"] == pytest.approx(summed, abs=1e-12)
    assert sum(coarse.values()) == pytest.approx(np.ones(len(own.ids)), abs=1e-12)
    with pytest.raises(NotFoundError, match="no crosswalk to igbp17 from these labels"):
        own.corpus.query().fractions("igbp17")


@pytest.mark.parametrize(
    "question", [{"split": "train"}, {"where": "clc_2 > 0 AND NOT (split = 'train' OR clc_1 = 1)"}]
)
def test_an_unfilled_split_is_an_error_that_says_so(published: Truth, question: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match="no sample of this corpus is in a split: its recipe has none"):
        published.corpus.query(**question)


def test_whether_a_split_is_filled_may_be_asked(published: Truth) -> None:
    assert len(published.corpus.query(where="split IS NULL")) == len(published.ids)


def test_limit_and_seed(own: Truth) -> None:
    corpus = own.corpus
    assert list(corpus.query(limit=7).ids) == own.ids[:7]
    drawn = corpus.query(limit=50, seed=3)
    assert drawn.ids == corpus.query(limit=50, seed=3).ids
    assert drawn.ids != corpus.query(limit=50, seed=4).ids
    assert list(drawn.ids) == sorted(drawn.ids, key=own.ids.index)
    assert len(corpus.query(limit=10**6, seed=1)) == len(own.ids)
    with pytest.raises(InvalidInputError, match="limit"):
        corpus.query(limit=-1)


def test_links_belong_to_their_own_place(own: Truth) -> None:
    selection = own.corpus.query(products="s2", limit=20, seed=1)
    places = list(selection.linked())
    assert [place.id for place in places] == list(selection.ids)
    for place in places:
        row = own.ids.index(place.id)
        assert all(place.id in asset.path for assets in place.assets.values() for asset in assets)
        assert len(place.assets["s2"]) == own.exists["s2"][row].sum()
        assert [asset.path for asset in place.assets["labels"]] == [
            f"labels/{place.id[:3]}/{place.id[4:12]}/labels_{place.id}.geojson"
        ]
        assert sum(place.fractions.values()) == pytest.approx(1)


@pytest.mark.parametrize("form", ["path", "href", "asset", "id", "label"])
def test_any_chip_leads_to_its_place(own: Truth, form: str) -> None:
    asset = own.corpus.query(products="s2").assets[1_234]
    label = own.corpus.linked(asset.sample).assets["labels"][0].href
    chips: dict[str, str | Asset] = {
        "path": asset.path,
        "href": asset.href,
        "asset": asset,
        "id": asset.sample,
        "label": label,
    }
    assert own.corpus.linked(chips[form]).id == asset.sample


def test_a_foreign_chip_is_named(own: Truth) -> None:
    with pytest.raises(NotFoundError, match="99N"):
        own.corpus.linked("imagery/99N/16E-243N/99N_16E-243N_29_01/S2-SR/2018-01.tif")


def test_frames_hold_what_the_index_holds(own: Truth) -> None:
    frame = own.corpus.query().to_geodataframe(labels=True)
    assert list(frame.index) == own.ids
    assert frame.crs.to_epsg() == 4326
    assert (frame.geometry.to_numpy() == own.shapes).all()
    assert frame["stratum"].astype(object).where(frame["stratum"].notna(), None).tolist() == own.stratum
    assert np.array_equal(frame[list(taxonomy("clc").columns())].to_numpy(), own.shares / 1e6)


def test_description_and_map(own: Truth) -> None:
    selection = own.corpus.query(where="clc_3 > 0.3", products="s2", period=("2018-01-01", "2018-07-01"))
    text = selection.describe()
    assert f"{len(selection):,} of {len(own.ids):,} samples" in text
    assert f"{len(selection.assets):,} of s2" in text
    axes = selection.plot(ax=Figure().add_subplot())
    drawn = [np.asarray(points.get_offsets()) for points in axes.collections]
    assert len(np.concatenate(drawn)) == len(selection)
    assert own.corpus.query(limit=0).plot(None, Figure().add_subplot()).get_title() == "0 samples"
    assert own.corpus.query(limit=0).describe().startswith("own 1.0: 0 of")


def test_without_axes_a_map_is_a_figure_that_a_notebook_shows(own: Truth) -> None:
    from matplotlib import pyplot as plt

    figure = own.corpus.query(limit=3).plot().figure
    assert plt.gcf() is figure
    plt.close(figure)


def test_parts_of_a_selection_keep_index_order(own: Truth) -> None:
    selection = own.corpus.query(products="s2")
    assert list(selection[:5].ids) == own.ids[:5]
    assert list(selection[::-2].ids) == own.ids[1::2] if len(own.ids) % 2 == 0 else own.ids[::2]
    assert selection[-1].id == str(selection[len(own.ids) - 1]) == own.ids[-1]
    assert selection[3:3].ids == ()
    with pytest.raises(IndexError, match="no sample number 1500 in this selection of 1500"):
        selection[1500]
    drawn = selection.sample(50, seed=3)
    assert drawn.ids == own.corpus.query(limit=50, seed=3).ids
    assert len(selection.sample(10**6)) == len(own.ids)
    with pytest.raises(InvalidInputError, match="expected a whole number"):
        selection.sample(-1)


def test_a_histogram_may_be_read(own: Truth) -> None:
    fine, named = own.corpus.query().histogram(), own.corpus.query().histogram(names=True)
    assert named == {own.corpus.classes[column]: area for column, area in fine.items()}
    assert "Coniferous forest" in named


def test_membership_and_selection_by_id(own: Truth) -> None:
    chosen = own.corpus.select([own.ids[5], own.ids[2]])
    assert list(chosen.ids) == [own.ids[2], own.ids[5]]
    assert own.ids[5] in chosen
    assert own.ids[6] not in chosen
    assert "nonsense" not in chosen
    with pytest.raises(NotFoundError, match="nonsense"):
        own.corpus.select(["nonsense"])
