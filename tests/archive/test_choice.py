"""A choice of scenes as a file that people edit: it reads back, and its problems are listed by line."""

from __future__ import annotations

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive.made import SCENE, YEAR, scene

from landloom.archive.choice import Candidate, SceneChoice
from landloom.archive.selection import Policy, choose_scenes
from landloom.errors import InvalidDocumentError, InvalidValueError, NotFoundError
from landloom.model.time import parse_instant

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs", "Cc")), min_size=1).map(
    lambda text: text.strip() or "x"
)
CANDIDATES = st.builds(
    Candidate,
    id=TEXTS,
    time=st.datetimes(min_value=parse_instant("2015-01-01").replace(tzinfo=None), timezones=st.just(UTC)),
    use=st.booleans(),
    reason=st.just("") | TEXTS,
    granule=st.none() | st.sampled_from(["33TWL", "01CCV"]),
    cloud_cover=st.none() | st.floats(0, 100),
    nodata_share=st.none() | st.floats(0, 100),
    baseline=st.none() | st.just("05.09"),
    level=st.sampled_from(["L1C", "L2A"]),
    size=st.none() | st.integers(0, 2**40),
)


@given(st.lists(CANDIDATES, max_size=4, unique_by=lambda one: one.id))
def test_file_of_a_choice_reads_back(candidates: list[Candidate]) -> None:
    ordered = sorted(candidates, key=lambda one: (one.granule or "", one.time, one.id))
    choice = SceneChoice(candidates=tuple(ordered))
    assert SceneChoice.from_csv(choice.to_csv()) == choice


def test_an_edited_file() -> None:
    scenes = [scene(1), scene(2), scene(3)]
    text = choose_scenes(scenes, Policy.parse("least-cloudy 1"), YEAR).to_csv().replace("\r\n", "\n")
    header, *lines = text.splitlines()
    edited = "\n".join([header.replace("level", "remark"), lines[2].replace("no,", "X,", 1), lines[0]])
    choice = SceneChoice.from_csv("\ufeff" + edited)
    assert choice.apply(scenes) == (scenes[0], scenes[2])
    with pytest.raises(NotFoundError, match="33TWL-001"):
        choice.apply(scenes[1:])


def test_problems_of_a_file_are_listed_by_line() -> None:
    lines = [
        "a,maybe,2018-01-01,,",
        "b,yes,soon,101,many",
        "c,no,2018-01-01,,",
        "d,no,2018-01-01,,,9",
        ",yes,2018-01-01,,",
    ]
    text = "\n".join(["id,use,time,cloud_cover,size", *lines])
    with pytest.raises(InvalidDocumentError) as caught:
        SceneChoice.from_csv(text, "scenes.csv")
    assert [problem.where for problem in caught.value.problems] == [
        "line 2, use",
        "line 3, time",
        "line 3, cloud_cover",
        "line 3, size",
        "line 5, line",
        "line 6, id",
    ]
    with pytest.raises(InvalidDocumentError, match="without id, time"):
        SceneChoice.from_csv("use,granule\n")
    with pytest.raises(InvalidDocumentError, match="each scene once"):
        SceneChoice.from_csv("id,use,time\na,yes,2018-01-01\na,no,2018-01-01\n")


def test_a_choice_holds_each_scene_once() -> None:
    row = Candidate.of(SCENE, use=True, reason="")
    with pytest.raises(InvalidValueError, match="twice"):
        SceneChoice(candidates=(row, row))
