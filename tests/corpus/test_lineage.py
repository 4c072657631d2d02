from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landloom.corpus.lineage import LeftOut, Lineage, LineageStep, SceneRecord, read_lineage
from landloom.errors import InvalidDocumentError

TEXTS = st.text(max_size=12)
SCENES = st.builds(
    SceneRecord,
    id=TEXTS,
    datetime=TEXTS,
    granule=st.none() | TEXTS,
    level=st.none() | TEXTS,
    baseline=st.none() | TEXTS,
    offset=st.integers(-2_000, 2_000),
    clamped=st.none() | st.integers(0, 10**9),
    cloud_cover=st.none() | st.floats(0, 100),
    validity=st.none() | TEXTS,
)
IDS = st.none() | st.lists(TEXTS, max_size=3).map(tuple)
STEPS = st.builds(
    LineageStep,
    timestep=TEXTS,
    datetime=st.none() | TEXTS,
    day_of_year=st.none() | st.integers(1, 366),
    scenes=st.lists(SCENES, max_size=3).map(tuple),
    without_valid_pixels=IDS,
    without_new_pixels=IDS,
    without_data=IDS,
    left_out=st.lists(st.builds(LeftOut, id=TEXTS, reason=TEXTS), max_size=2).map(tuple),
    samples=st.none() | st.integers(0, 500),
    valid=st.none() | st.floats(0, 1),
    observations=st.none() | st.floats(0, 30),
)


@given(steps=st.lists(STEPS, max_size=3).map(tuple))
def test_what_is_written_is_read_back(steps: tuple[LineageStep, ...]) -> None:
    lineage = Lineage(timesteps=steps)
    assert read_lineage(lineage.encode("33N_16E-243N", "s2")) == ("33N_16E-243N", "s2", lineage)


def test_left_out_scenes_of_all_timesteps() -> None:
    steps = [
        LineageStep(timestep=str(number), scenes=(), left_out=(LeftOut(id=f"s{number}", reason="gone"),))
        for number in range(2)
    ]
    assert Lineage(timesteps=tuple(steps)).left_out == {"s0": "gone", "s1": "gone"}


@pytest.mark.parametrize("content", [b"{", b"7", b"{}", b'{"tile": 1, "product": "s2", "timesteps": []}'])
def test_other_documents_are_refused(content: bytes) -> None:
    with pytest.raises(InvalidDocumentError, match="lineage"):
        read_lineage(content)
