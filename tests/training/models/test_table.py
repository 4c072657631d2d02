"""The table of models: every network is made with its own options."""

from __future__ import annotations

import pytest

from landloom.errors import InvalidInputError, NotFoundError
from landloom.training.models.table import MODELS, make_network, model_kind


@pytest.mark.parametrize("name", [name for name, kind in MODELS.items() if kind.is_network])
def test_networks_are_made_and_unknown_options_refused(name: str) -> None:
    assert make_network(name, bands=2, outputs=3, timesteps=4, options={"dropout": 0.1}).training
    with pytest.raises(InvalidInputError, match=f"{name}: got the option 'depth', expected some of .*dropout"):
        make_network(name, bands=2, outputs=3, timesteps=4, options={"depth": 3})


def test_unknown_models_are_named() -> None:
    with pytest.raises(NotFoundError, match=r"no model 'tempcn'; nearest: .*tempcnn"):
        model_kind("tempcn")
    with pytest.raises(NotFoundError, match="no network 'forest'"):
        make_network("forest", bands=2, outputs=3, timesteps=4, options={})
