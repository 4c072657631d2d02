"""A product of another package: installed beside ours, and nothing of ours is touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.killing import steps

from landloom.corpus.audit.validate import audit, digest
from landloom.query.corpus import Corpus
from landloom.store.local import LocalStore

PLUGINS = Path(__file__).parents[1] / "plugins"


@pytest.fixture(scope="module")
def project(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recipe of composites and of the other package's product."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "archive").symlink_to(tiny / "archive")
    document = yaml.safe_load((tiny / "landloom.yaml").read_text(encoding="utf-8"))
    document["products"]["greenness"] = {"kind": "ndvi-maximum", "terms": document["products"]["s2"]["terms"]}
    (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder


def install(patch: pytest.MonkeyPatch) -> None:
    """Processes find the package as they find any that is installed."""
    patch.setenv("PYTHONPATH", str(PLUGINS), prepend=os.pathsep)


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


def run(*arguments: str | Path, cwd: Path, ok: bool = True) -> str:
    command = [sys.executable, "-m", "landloom.cli", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ)
    assert (done.returncode == 0) == ok, done.stderr
    return done.stdout if ok else done.stderr


@pytest.fixture(scope="module")
def corpus(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built without interruption."""
    out = tmp_path_factory.mktemp("plugin-corpus") / "corpus"
    with pytest.MonkeyPatch.context() as patch:
        install(patch)
        assert steps(project, out)
    return out


def test_it_is_planned(project: Path) -> None:
    planned = json.loads(run("plan", project, "--json", cwd=project))
    assert {"s2", "greenness"} <= {one["key"] for one in planned["products"]}


def test_without_the_package_the_recipe_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [path for path in os.environ["PYTHONPATH"].split(os.pathsep) if path != str(PLUGINS)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(others))
    told = run("plan", project, cwd=project, ok=False)
    assert "products.greenness" in told
    assert "ndvi-maximum" in told


def test_a_killed_build_ends_in_the_same_bytes(project: Path, corpus: Path, tmp_path: Path) -> None:
    total = steps(project, tmp_path / "counted")
    assert total is not None
    assert steps(project, tmp_path / "killed", after=total // 2) is None
    assert steps(project, tmp_path / "killed") is not None
    assert digest(LocalStore(tmp_path / "killed")) == digest(LocalStore(corpus))


def test_it_is_valid_and_reported(corpus: Path) -> None:
    assert audit(LocalStore(corpus), digests=True).problems == ()
    assert "2 tiles of greenness." in (corpus / "report.html").read_text(encoding="utf-8")


def test_it_is_queried(corpus: Path) -> None:
    listed = run("query", corpus, "--product", "greenness", "--list", corpus.parent / "list.txt", cwd=corpus)
    assert "files: 12 of greenness" in listed
    opened = Corpus.open(corpus).query(products="greenness")
    cube = opened.cube(0, "greenness")
    assert cube.dtype == np.int16
    assert cube.attrs["nodata"] == -32_768
    seen = cube.values[cube.values != -32_768]
    assert seen.size > 0.9 * cube.size
    assert -10_000 <= seen.min() < seen.max() <= 10_000


def test_it_is_the_largest_of_what_was_seen(corpus: Path) -> None:
    """Wherever the month's median is of one observation or two, NDVI of the median is no larger."""
    chosen = Corpus.open(corpus).query(products=("s2", "greenness", "count"))
    for sample in chosen.ids:
        count = chosen.cube(sample, "count").values[:, 0]
        stack = chosen.cube(sample, "s2").sel(band=["B04", "B08"]).values.astype(float)
        best = chosen.cube(sample, "greenness").values[:, 0]
        once = count == 1
        red, nir = stack[:, 0][once], stack[:, 1][once]
        # Dilation differs (1 pixel for composites), so a composite's one observation is among those of the maximum.
        assert (np.rint(10_000 * (nir - red) / (nir + red)) <= best[once] + 1).all()
