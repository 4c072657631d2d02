"""A SLURM array builds the shards of a corpus; some of its jobs are killed, and the bytes are those of one process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import geopandas
import pytest
import shapely
import yaml
from tests import slurm
from tests.projects import TERMS, digest_of

from landloom.errors import BuildError
from landloom.pipelines.build import build
from landloom.pipelines.shards.build import prepare
from landloom.pipelines.starters import write_starter
from landloom.pipelines.status import read_status

if TYPE_CHECKING:
    from pathlib import Path

SHARDS = int(os.environ.get("LANDLOOM_TEST_SHARDS", "5"))
KILLED = max(SHARDS * 3 // 10, 1)
"""30 %."""
JOB = """#!/bin/bash
#SBATCH --output={folder}/job-%a.log
cd {folder}
landloom="{python} -m landloom.cli build . --workers 1 --shard $SLURM_ARRAY_TASK_ID/{shards}"
if [ "$SLURM_ARRAY_TASK_ID" -le {killed} ] && mkdir killed-$SLURM_ARRAY_TASK_ID 2>/dev/null; then
  $landloom & job=$!
  until [ -e corpus/.landloom/shards/$SLURM_ARRAY_TASK_ID-of-{shards}.sqlite ]; do sleep 0.05; done
  kill -9 $job
  exit 1
fi
exec $landloom
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A recipe whose only units are class fractions, of a row of as many squares as there are shards, 23 km wide."""
    write_starter("demo", tmp_path / "landloom.yaml")
    document = yaml.safe_load((tmp_path / "landloom.yaml").read_text(encoding="utf-8"))
    columns, west, wide = range(SHARDS), 3, 0.3
    squares = [shapely.box(west + column * wide, 47, west + (column + 1) * wide, 47.2) for column in columns]
    whole = shapely.box(west, 47, west + SHARDS * wide, 47.2)
    codes = [("311", "211", "512")[column % 3] for column in columns]
    geopandas.GeoDataFrame({"CODE_18": codes}, geometry=squares, crs=4326).to_file(tmp_path / "labels.gpkg")
    geopandas.GeoDataFrame({"id": ["a"]}, geometry=[whole], crs=4326).to_file(tmp_path / "region.geojson")
    document["region"]["file"] = document["samples"]["strata"]["file"] = "region.geojson"
    document["labels"]["clc"]["file"] = "labels.gpkg"
    document["samples"]["count"] = 2 * SHARDS
    document["products"] = {"pfsr": {"kind": "external", "cadence": "5 days", "terms": TERMS}}
    (tmp_path / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_an_array_with_killed_jobs_gives_the_same_bytes(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    node = tmp_path_factory.mktemp("slurm")
    with slurm.running(node, processors=2 if SHARDS < 20 else 8) as env:
        build(project, out=project / "whole")
        prepare(project)
        text = JOB.format(folder=project, python=sys.executable, shards=SHARDS, killed=KILLED)
        (project / "job.sh").write_text(text, encoding="utf-8")

        def submit(numbers: str) -> None:
            command = ["sbatch", "--wait", "--chdir", str(project), "--array", numbers, str(project / "job.sh")]
            subprocess.run(command, env=env, capture_output=True, check=False)

        submit(f"1-{SHARDS}")
        began = time.perf_counter()
        left = read_status(project / "corpus").shards
        sys.stderr.write(f"missing shards listed in {time.perf_counter() - began:.3f} s: {left}\n")
        with pytest.raises(BuildError, match="no shard has made it"):
            build(project, finish=True)
        numbers = [shard.partition("/")[0] for shard in left]
        assert numbers
        assert {int(number) for number in numbers} <= set(range(1, KILLED + 1))
        submit(",".join(numbers))
    assert read_status(project / "corpus").shards == ()
    assert build(project, finish=True).units_run == 0
    assert digest_of(project / "corpus") == digest_of(project / "whole")
