"""Products in every form, written once a module."""

from __future__ import annotations

import pytest
from tests.archive.safe.made import CHOSEN, FORMS, SPEC, Written

from landloom.simulate.safe.products import simulate_safe_archive


@pytest.fixture(scope="module", params=list(FORMS.values()), ids=list(FORMS))
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("safe")
    report = simulate_safe_archive(SPEC, folder / "below" / "it", request.param, scenes=CHOSEN, labels=False)
    return Written(folder, request.param, report.scenes)
