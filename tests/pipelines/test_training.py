"""`train_corpus` and its command: a folder with everything, the same after a kill, what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.corpora import write_corpus

from landloom.pipelines.splitting import split_corpus
from landloom.pipelines.training import train_corpus
from landloom.training.fit.folder import ModelFolder
from landloom.training.fit.learn import Lesson
from landloom.training.fit.settings import FitSettings
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Ran

ROOT = Path(__file__).parents[2]
LESSON = Lesson(
    task="dense",
    model="utae",
    split_set="thirds",
    settings=FitSettings(epochs=2, batch=2, seed=5),
    options={"encoder": [8, 8], "decoder": [8, 8], "heads": 4, "width": 16},
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve samples in three splits; its statistics are written, nothing else is changed."""
    folder: Path = tmp_path_factory.mktemp("thirds") / "corpus"
    write_corpus(folder, layouts=("cubes",))
    settings = SplitSettings(by="random", gap=0, shares={"train": 0.5, "val": 0.25, "test": 0.25})
    split_corpus(str(folder), "thirds", settings, figure=False)
    return folder


def test_a_killed_training_ends_with_the_same_files(corpus: Path, tmp_path: Path) -> None:
    whole = train_corpus(str(corpus), LESSON, tmp_path / "whole")
    assert (whole.epochs, whole.resumed, whole.trained) == (2, 0, True)
    command = [sys.executable, "-m", "tests.pipelines.test_training", str(corpus), str(tmp_path / "killed")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    found = train_corpus(str(corpus), LESSON, tmp_path / "killed")
    assert found.resumed == 1
    names = sorted(one.name for one in (tmp_path / "whole").iterdir())
    assert names == [
        "card.md",
        "checkpoint.pt",
        "history.csv",
        "model.json",
        "predictions-test.parquet",
        "predictions-val.parquet",
        "weights.pt",
    ]
    for name in set(names) - {"checkpoint.pt"}:  # its numbers are compared in tests of networks
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    again = train_corpus(str(corpus), LESSON, tmp_path / "killed")
    assert not again.trained
    card = (tmp_path / "whole" / "card.md").read_text(encoding="utf-8")
    description = ModelFolder(tmp_path / "whole").description()
    for told in (description.statistics, description.split_set["digest"], "overall accuracy", "0 nearer than 0 m"):
        assert told in card
    assert ModelFolder(tmp_path / "whole").splits() == ("test", "val")


def test_from_the_command_line(corpus: Path, run: Callable[..., Ran], tmp_path: Path) -> None:
    out = tmp_path / "model"
    arguments = (corpus, "--split-set", "thirds", "--model", "forest", "--level", "1", "--option", "trees=5")
    done = run("train", *arguments, "--out", out)
    assert done.code == 0, done.err
    assert "forest for lulc: learnt from 6 examples" in done.out
    assert f"wrote {out}" in done.out
    assert "predicting what was held out" in done.err
    assert "unchanged:" in run("train", *arguments, "--out", out).out
    document = json.loads(run("train", *arguments, "--out", out, "--json").out)
    assert set(document["scores"]) == {"val", "test"}
    for wrong, told in (
        (("--task", "lulc", "--model", "utae"), "task lulc: got model 'utae'"),
        (("--option", "tress=5"), "got the option 'tress', expected some of trees"),
        (("--option", "trees=many"), "expected a number"),
        (("--seed", "3"), "another"),
    ):
        refused = run(
            "train",
            *arguments[:3],
            "--model",
            "forest",
            *wrong,
            "--out",
            out if "--seed" in wrong else tmp_path / "none",
        )
        assert refused.code == 1
        assert told in refused.err
        assert "Traceback" not in refused.err
        assert not (tmp_path / "none").exists()


class Killer:
    """A listener that ends its own process after the first epoch."""

    def started(self, stage: str, total: int) -> None:
        """A stage begins."""

    def advanced(self, unit: str, reason: str | None) -> None:
        """An epoch is over."""
        del reason
        if unit == "epoch 0":
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """A training that kills itself."""
    killer: Any = Killer()
    train_corpus(sys.argv[1], LESSON, sys.argv[2], listener=killer)


if __name__ == "__main__":
    main()
