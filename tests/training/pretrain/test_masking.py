"""What is hidden: only what was seen, never all of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from landloom.errors import InvalidInputError
from landloom.training.pretrain.masking import MaskSettings, hidden_timesteps


@given(
    valid=arrays(np.bool_, st.tuples(st.integers(1, 6), st.integers(1, 12))),
    spans=st.integers(0, 4),
    longest=st.floats(0.01, 1),
    single=st.floats(0.01, 0.9),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_one_timestep_stays_and_one_is_hidden(
    valid: np.ndarray, spans: int, longest: float, single: float, seed: int
) -> None:
    chosen = MaskSettings(spans=spans, longest=longest, single=single)
    hidden = hidden_timesteps(valid, chosen, np.random.default_rng(seed))
    assert not (hidden & ~valid).any()
    enough = valid.sum(axis=1) > 1
    assert hidden.any(axis=1).tolist() == enough.tolist()
    assert (valid & ~hidden).any(axis=1).tolist() == valid.any(axis=1).tolist()
    again = hidden_timesteps(valid, chosen, np.random.default_rng(seed))
    assert (hidden == again).all()


def test_spans_are_contiguous() -> None:
    valid = np.ones((400, 30), np.bool_)
    hidden = hidden_timesteps(valid, MaskSettings(spans=1, longest=0.3, single=0), np.random.default_rng(1))
    runs = (np.diff(hidden, axis=1, prepend=False) & hidden).sum(axis=1)
    assert np.bincount(runs)[1:4].sum() == 400  # a span, perhaps cut by the one that stays, and the one that is hidden
    assert 2 < hidden.sum(axis=1).mean() < 9


@pytest.mark.parametrize("wrong", [{"longest": 0.0}, {"single": 1.0}, {"spans": -1}, {"spans": 0, "single": 0.0}])
def test_settings_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidInputError, match="expected shares"):
        MaskSettings(**wrong)  # type: ignore[arg-type]
