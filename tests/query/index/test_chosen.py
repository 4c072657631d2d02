"""The interfaces of a selection against real selections: what `landloom.query.cubes` reads of one is there."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from landloom.query.index.chosen import Chosen, Identified

if TYPE_CHECKING:
    from tests.query.conftest import Truth


def _members(interface: type) -> set[str]:
    return {name for name, one in vars(interface).items() if isinstance(one, property) or inspect.isfunction(one)}


@pytest.mark.parametrize("interface", [Chosen, Identified])
def test_a_selection_and_its_samples_have_every_member(interface: type, own: Truth) -> None:
    selection = own.corpus.query()
    one = selection if interface is Chosen else selection[0]
    members = {name for name in _members(interface) if not name.startswith("_") or name == "__len__"}
    assert members
    assert not {name for name in members if not hasattr(one, name)}
