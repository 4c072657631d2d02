"""Which scenes a recipe takes: by its policy, or as a file says, the same for regions and for granules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import shapely
from tests.engine.scenes.some import Listing, listed
from tests.projects import project_of

from landloom.archive.selection import Policy
from landloom.engine.scenes.choose import (
    choose,
    granule_outlines,
    granule_rows,
    granule_scenes,
    read_choice,
    scene_policy,
    scenes_section,
    span,
)
from landloom.errors import InvalidDocumentError, InvalidInputError, InvalidValueError, NotFoundError
from landloom.model.granules import granule_footprint
from landloom.model.ids import GranuleId
from landloom.model.recipe import ScenesSection
from landloom.model.time import Period
from landloom.pipelines.registry import Recipe

if TYPE_CHECKING:
    from pathlib import Path

    from landloom.engine.project import Project

EAST, WEST = GranuleId.parse("33UUR"), GranuleId.parse("32UQA")
SHARED = granule_footprint(EAST).intersection(granule_footprint(WEST))
"""Where both granules overlap."""
CLOUDS = {"33UUR": (9.0, 80.0, 30.0), "32UQA": (50.0, 5.0, 70.0)}
SCENES = [
    listed(f"{granule}_{day:02}", f"2018-06-{day:02}", granule, cloud_cover=cloud)
    for granule, clouds in CLOUDS.items()
    for day, cloud in zip((3, 13, 23), clouds, strict=True)
]
BEST = {"33UUR": "33UUR_03", "32UQA": "32UQA_13"}


def project(folder: Path, **scenes: Any) -> Project:
    """Over a part that both granules show, in June."""
    bounds = shapely.box(*SHARED.centroid.buffer(0.02).bounds).bounds
    changes: dict[str, Any] = {
        "region": {"bounds": list(bounds)},
        "period": {"start": "2018-06-01", "end": "2018-07-01"},
    }
    return project_of(folder, **changes | ({"scenes": scenes} if scenes else {}))


def test_a_policy_decides_for_each_granule(tmp_path: Path) -> None:
    found = choose(project(tmp_path, policy="least-cloudy 1"), Listing(SCENES))
    assert set(found.choice.ids) == set(BEST.values())
    assert [scene.id for scene in found.scenes] == sorted(BEST.values(), key=lambda name: name[-2:])
    assert found.policy == "least-cloudy 1"
    assert set(found.shares) == set(BEST)
    assert len(found.cover.granules) == 1, "either shows all of the region"


def test_another_policy_may_be_tried_instead_of_what_the_recipe_says(tmp_path: Path) -> None:
    (tmp_path / "scenes.csv").write_text("not even read", encoding="utf-8")
    for one in (project(tmp_path, policy="least-cloudy 1"), project(tmp_path, file="scenes.csv")):
        assert len(choose(one, Listing(SCENES), "all").choice.ids) == len(SCENES)
    with pytest.raises(InvalidValueError, match="cloudiest"):
        choose(project(tmp_path), Listing(SCENES), "cloudiest 3")


def test_every_setting_of_the_section_decides_on_its_own(tmp_path: Path) -> None:
    """For the region and for granules alike."""
    every = {one.id for one in SCENES}
    sized = [
        replace(one, size=place, nodata_share=20.0 * place, level="L1C" if place else "L2A")
        for place, one in enumerate(SCENES)
    ]
    settings: dict[str, tuple[Any, set[str]]] = {
        "cloud": ((0, 10), {"33UUR_03", "32UQA_13"}),
        "valid": (0.5, {one.id for one in SCENES[:3]}),
        "levels": (["L2A"], {SCENES[0].id}),
        "size": ((2, 3), {SCENES[2].id, SCENES[3].id}),
        "overlap": (0.999, every),
    }
    for key, (value, wanted) in settings.items():
        one = project(tmp_path, policy="all", **{key: value})
        assert set(choose(one, Listing(sized)).choice.ids) == wanted, key
        by_granule = granule_scenes(one, Listing(sized), (EAST, WEST), span(one))
        assert {name for own in by_granule.values() for name in own.choice().ids} == wanted, key


def test_the_weight_of_clouds_reaches_the_policy() -> None:
    assert scene_policy(ScenesSection(policy="uniform 3", cloud_weight=0.7)) == Policy.parse("uniform 3", 0.7)
    assert scene_policy(ScenesSection(policy="uniform 3"), "all") == Policy.parse("all", 0.25)
    assert str(scene_policy(ScenesSection())) == "all"


def test_a_file_decides_when_it_was_edited(tmp_path: Path) -> None:
    """What `to_csv` wrote decides the same; a changed line changes just that."""
    by_policy = project(tmp_path, policy="least-cloudy 1")
    text = choose(by_policy, Listing(SCENES)).choice.to_csv()
    by_file = project(tmp_path, file="scenes.csv")
    (tmp_path / "scenes.csv").write_text(text, encoding="utf-8")
    found = choose(by_file, Listing(SCENES))
    assert set(found.choice.ids) == set(BEST.values())
    assert found.policy == "as scenes.csv says"
    (tmp_path / "scenes.csv").write_text(text.replace("yes,32UQA", "no,32UQA"), encoding="utf-8")
    assert choose(by_file, Listing(SCENES)).choice.ids == (BEST["33UUR"],)
    granules = granule_scenes(by_file, Listing(SCENES), (EAST, WEST), span(by_file))
    assert [scene.id for scene in granules[EAST].chosen()] == [BEST["33UUR"]]
    with pytest.raises(InvalidInputError, match="32UQA: no usable scene"):
        granules[WEST].chosen()
    assert choose(by_file, Listing(SCENES), granules=[EAST]).choice.ids == (BEST["33UUR"],)


def test_a_file_that_names_what_is_not_there_is_said(tmp_path: Path) -> None:
    """For granules that are asked for; the others' lines are for another part of the work."""
    text = choose(project(tmp_path, policy="all"), Listing(SCENES)).choice.to_csv()
    (tmp_path / "scenes.csv").write_text(text, encoding="utf-8")
    one, fewer = project(tmp_path, file="scenes.csv"), Listing(SCENES[1:])
    with pytest.raises(NotFoundError, match=f"no scene in the archive '{SCENES[0].id}'"):
        choose(one, fewer)
    with pytest.raises(NotFoundError, match=f"no scene in the archive '{SCENES[0].id}'"):
        granule_scenes(one, fewer, (EAST, WEST), span(one))
    assert len(granule_scenes(one, fewer, [WEST], span(one))[WEST].chosen()) == 3


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"none\.csv: cannot be read: No such file"):
        read_choice(str(tmp_path / "none.csv"))
    (tmp_path / "bad.csv").write_text("use,id,time\nperhaps,a,2018-01-01\nyes,b,soon\n", encoding="utf-8")
    with pytest.raises(InvalidDocumentError, match=r"(?s)line 2, use.*line 3, time"):
        read_choice(str(tmp_path / "bad.csv"))


def test_granules_have_their_own_scenes_of_the_period_alone(tmp_path: Path) -> None:
    """Neighbours that show part of a granule are none of its scenes."""
    one = project(tmp_path)
    found = granule_scenes(one, Listing(SCENES), (EAST, WEST), Period.parse("2018-06-01", "2018-06-14"))
    assert [scene.id for scene in found[EAST].candidates] == ["33UUR_03", "33UUR_13"]
    assert {scene.granule for scene in found[WEST].candidates} == {"32UQA"}


def test_what_was_chosen_is_a_row_a_granule(tmp_path: Path) -> None:
    found = choose(project(tmp_path, policy="monthly + 0"), Listing(SCENES))
    rows = {row["granule"]: row for row in granule_rows(found)}
    assert sum(row["taken"] for row in rows.values()) == len(found.choice.ids) == 2
    assert {name: row["candidates"] for name, row in rows.items()} == {"33UUR": 3, "32UQA": 3}
    assert {name: row["cloud"] for name, row in rows.items()} == {"33UUR": 9.0, "32UQA": 5.0}
    assert rows["33UUR"]["first"] == rows["33UUR"]["last"] == "2018-06-03"
    assert [row["needed"] for row in rows.values()].count(True) == 1
    none = {row["granule"]: row for row in granule_rows(choose(project(tmp_path, cloud=(0, 6)), Listing(SCENES)))}
    assert (none["33UUR"]["taken"], none["33UUR"]["cloud"], none["33UUR"]["first"]) == (0, None, "")


def test_the_span_is_that_of_all_products(tmp_path: Path) -> None:
    one = project(tmp_path)
    document = one.recipe.document()
    own = {"period": {"start": "2018-08-01", "end": "2018-09-01"}, "count": False}
    document["products"]["more"] = document["products"]["s2"] | own
    wide = replace(one, recipe=Recipe.parse(document))
    assert span(one) == Period.parse("2018-06-01", "2018-07-01")
    assert span(wide) == Period.parse("2018-06-01", "2018-09-01")
    assert scenes_section(one) == ScenesSection()


def test_outlines_are_of_known_squares() -> None:
    found = granule_outlines({"33UUR", "p007r012"})
    assert list(found) == ["33UUR"]
    assert found["33UUR"].equals(granule_footprint(EAST))
