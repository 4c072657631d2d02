"""The demo of training: the demo corpus, a split with a gap, its statistics, three models, and one page about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from landloom.pipelines.demos.cells import run_demo
from landloom.pipelines.leaderboard import compare_models
from landloom.pipelines.splitting import SplitReport, split_corpus
from landloom.pipelines.training import TrainReport, train_corpus
from landloom.training.datasets.targets import Target
from landloom.training.fit.learn import Lesson
from landloom.training.fit.settings import FitSettings
from landloom.training.splits.make import SplitSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from landloom.engine.run import Listener
    from landloom.pipelines.build import BuildReport

SPLIT: Final = SplitSettings(
    by="blocks", block_size=1_800.0, gap=300.0, shares={"train": 0.6, "val": 0.2, "test": 0.2}, balance="labels"
)
"""Of the demo corpus, whose places are a few kilometres wide; real corpora have larger blocks and gaps."""
NAME: Final = "demo"
LEVEL: Final = 1
"""Of CORINE: five classes, for there are few samples."""
MODELS: Final[dict[str, Mapping[str, Any]]] = {
    "forest": {"trees": 200},
    "tempcnn": {"filters": 32, "dense": 64},
    "ltae": {"heads": 4, "width": 64, "out": 32},
}
"""Model → its options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainDemo:
    """Result of the demo."""

    build: BuildReport
    split: SplitReport
    models: tuple[TrainReport, ...]
    page: Path
    """The leaderboard."""

    @property
    def tested(self) -> int:
        """Samples of the test."""
        return next(part.samples for part in self.split.proof.parts if part.name == "test")

    def scores_of(self, one: TrainReport) -> tuple[str, str]:
        """Accuracy and macro F1 of a model on the test."""
        scores = one.scores["test"]["scores"]
        accuracy, macro = (scores[name]["value"] for name in ("accuracy", "macro_f1"))
        return f"{accuracy:.1%}", "–" if macro is None else f"{macro:.3f}"

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        own = {"split": self.split.document(), "models": [one.document() for one in self.models]}
        return self.build.document() | own | {"page": str(self.page)}


def run_demo_train(
    folder: Path,
    *,
    listener: Listener | None = None,
    workers: int = 1,
    epochs: int = 40,
) -> TrainDemo:
    """Build, split, measure, train, compare; a second run repeats no finished step.

    Args:
        folder: for `archive/`, `corpus/`, `models/` and `leaderboard.html`.
        listener: receives progress.
        workers: threads of the simulation.
        epochs: of networks, at most.
    """
    built = run_demo(folder, listener=listener, workers=workers).build
    corpus = str(built.corpus)
    split = split_corpus(corpus, NAME, SPLIT)
    models = []
    for model, options in MODELS.items():
        lesson = Lesson(
            task="lulc",
            model=model,
            split_set=NAME,
            target=Target(kind="fractions", level=LEVEL),
            options=options,
            settings=FitSettings(epochs=epochs, batch=16),
        )
        models.append(train_corpus(corpus, lesson, folder / "models" / model, listener=listener))
    page = folder / "leaderboard.html"
    compare_models([one.folder for one in models], "test", out=page)
    return TrainDemo(build=built, split=split, models=tuple(models), page=page)
