"""What an installation compiles is what the demo calls: its own recipe, of a smaller world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.pipelines.demos.compiled import SMALLER, smaller
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.starters import write_starter

if TYPE_CHECKING:
    from pathlib import Path


def test_the_smaller_recipe_is_the_demos(tmp_path: Path) -> None:
    path = tmp_path / "landloom.yaml"
    write_starter("demo", path)
    text = path.read_text(encoding="utf-8")
    assert all(text.count(usual) == 1 for usual in SMALLER)
    path.write_text(smaller(text), encoding="utf-8")
    made = REGISTRY.open(path).recipe
    assert made.allow_blank
    assert made.samples.model_dump()["count"] == 4
    assert str(made.period.end)[:10] == "2018-07-01"
    assert [*made.products] == ["s2"]
    assert made.layouts == ("chips", "cubes")
