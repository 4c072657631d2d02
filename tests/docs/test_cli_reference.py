"""Pages that follow from the code say what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_generated_pages_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}run: python -m docs.generate"


def test_every_recipe_key_is_explained() -> None:
    text = (ROOT / "docs/reference/recipe.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| key ")]
    assert len(rows) > 60
    assert [row for row in rows if row.endswith("|  |")] == []
