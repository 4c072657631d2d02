"""Presto against the authors' program."""

from __future__ import annotations

import pytest
import torch
from tests.training.models.published.oracle import documents, inputs, weights

from landloom.training.models.published.presto import Presto

DOCUMENT = documents()["presto"]


def network() -> Presto:
    named = {name: one for name, one in weights(DOCUMENT["shapes"]).items() if name.startswith("encoder.")}
    made = Presto()
    made.load_state_dict({name.removeprefix("encoder."): one for name, one in named.items()})
    return made.eval()


@pytest.mark.parametrize("number", range(len(DOCUMENT["cases"])))
def test_embeddings_equal_those_of_the_authors(number: int) -> None:
    case = DOCUMENT["cases"][number]
    told = inputs(case)
    with torch.inference_mode():
        found = network()(told.groups, told.months, told.place)
    torch.testing.assert_close(found, torch.tensor(case["embeddings"]), rtol=0, atol=1e-5)


def test_what_is_missing_changes_nothing() -> None:
    told = inputs(DOCUMENT["cases"][0])
    odd = {name: (torch.where(there[..., None], one, 1e4), there) for name, (one, there) in told.groups.items()}
    absent = torch.zeros(3, 12, dtype=torch.bool)
    odd["S1"] = (torch.ones(3, 12, 2), absent)
    made = network()
    with torch.inference_mode():
        found = made(odd, told.months, told.place)
        torch.testing.assert_close(found, made(told.groups, told.months, told.place))
        alone = {name: (one[1:2], there[1:2]) for name, (one, there) in told.groups.items()}
        torch.testing.assert_close(found[1:2], made(alone, told.months[1:2], told.place[1:2]), rtol=0, atol=1e-5)
