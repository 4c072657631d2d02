"""What may be written where: enough space, and nothing outside the folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from landloom.errors import StoreError
from landloom.query.transfer.destination import (
    DownloadPlan,
    Wanted,
    check_space,
    plan_download,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_too_little_space_is_said_before(tmp_path: Path) -> None:
    plan = DownloadPlan(destination=tmp_path / "new", missing=(Wanted(path="a", size=1 << 60),), present=0)
    with pytest.raises(StoreError, match="expected 1,152,921,504,606,846,976"):
        check_space(plan)


@pytest.mark.parametrize(
    "path", ["../a", "/etc/passwd", "a/../../b", "a//b", "./a", "a\\b", ".landloom/download.jsonl", ""]
)
def test_paths_outside_the_destination_are_refused(tmp_path: Path, path: str) -> None:
    plan = plan_download([Wanted(path=path), Wanted(path="b")], tmp_path)
    assert [problem.where for problem in plan.refused] == [path]
    assert [item.path for item in plan.missing] == ["b"]


def test_links_that_lead_outside_are_refused(tmp_path: Path) -> None:
    (tmp_path / "destination").mkdir()
    (tmp_path / "destination" / "imagery").symlink_to(tmp_path)
    with pytest.raises(StoreError, match="leads outside"):
        plan_download([Wanted(path="imagery/a.tif")], tmp_path / "destination")
