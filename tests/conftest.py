"""What every test may ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout; tests that want it are skipped, loudly, where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip("no ../shared/data beside the checkout: tests on real data are not run")
    return SHARED / "data"


@pytest.fixture(scope="session")
def shared_schemas() -> Path:
    """The folder of STAC schemas beside the checkout."""
    if not (SHARED / "schemas").is_dir():
        pytest.skip("no ../shared/schemas beside the checkout: offline schema validation is not run")
    return SHARED / "schemas"
