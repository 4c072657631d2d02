"""Shortages of this machine fail the build by their name; they never make a scene broken."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.cases.archives import only_chip, write_catalog, write_recipe, write_scene

if TYPE_CHECKING:
    from pathlib import Path

BUILD = """
import resource, sys
from landloom.errors import LandloomError
from landloom.pipelines.build import build
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
try:
    build(sys.argv[1])
except LandloomError as error:
    print(error)
    raise SystemExit(3)
"""


def run(recipe: Path, limit: int) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(recipe), str(limit)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_too_few_file_descriptors_never_leave_a_scene_out(tmp_path: Path) -> None:
    names = [f"s{number:02d}" for number in range(12)]
    for number, name in enumerate(names):
        write_scene(tmp_path / "archive", name, f"2018-06-{number + 1:02d}", {"B04": 1000 + 100 * number, "B08": 3000})
    href = write_catalog(tmp_path / "archive", *names)
    assert run(write_recipe(tmp_path / "free", href), 0) == (0, "")
    expected = only_chip(tmp_path / "free" / "corpus")
    ended = set()
    for limit in (5, 7, 9, 11, 16, 24):
        recipe = write_recipe(tmp_path / f"limit-{limit}", href)
        code, text = run(recipe, limit)
        ended.add(code)
        assert code == 0 or "Too many open files" in text or "unable to open" in text, text
        if code:
            assert run(recipe, 0)[0] == 0, "the next build heals it"
        np.testing.assert_array_equal(only_chip(recipe.parent / "corpus"), expected)
    assert len(ended) > 1, "some limits were too low, and some were not"
