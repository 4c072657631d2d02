"""Plans of campaigns: every pixel once, planted and blind tasks from the guess, priorities that tell no kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.annotate.tasks.values import CampaignSettings, TaskKind
from landloom.errors import InvalidInputError
from landloom.pipelines.annotation.guesses import ChipGuess, CorpusGuess, guess_classes, guess_product
from landloom.pipelines.annotation.planning import TaskPlan, plan_tasks

if TYPE_CHECKING:
    from tests.chips import World

    from landloom.annotate.tasks.values import NewTask
    from landloom.pipelines.annotation.series import SeriesSource

SETTINGS = CampaignSettings(
    task_size=10, context=30, reference_share=0.1, blind_share=0.1, planted_share=0.2, qualification=4, seed=5
)


def plan(
    source: SeriesSource, settings: CampaignSettings = SETTINGS, *, guess: bool = True, **more: object
) -> TaskPlan:
    item = guess_product(source.corpus.info)
    assert item is not None
    classes = guess_classes(source.corpus.info, item)
    reader = CorpusGuess(corpus=source.corpus, item=item, classes=classes) if guess else None
    chips = source.corpus.query().ids
    return plan_tasks(source, chips, settings, classes, reader, **more)  # type: ignore[arg-type]


def shown(task: NewTask) -> np.ndarray:
    assert task.guess is not None
    return np.frombuffer(task.guess, np.uint8).reshape(task.window.height, task.window.width)


def test_tasks_cover_every_chip_and_show_its_guess(world: World, source: SeriesSource) -> None:
    found = plan(source)
    assert len(found.tasks) == 144
    assert found.scenes == dict.fromkeys(world.truth, 4)
    covered = {chip: np.zeros((60, 60), int) for chip in world.truth}
    for task in found.tasks:
        one = task.window
        inside = np.s_[one.row : one.row + one.height, one.column : one.column + one.width]
        covered[one.chip][inside] += 1
        original = world.guess[one.chip][inside]
        if task.kind is TaskKind.BLIND:
            assert task.guess is None
            assert task.original == original.tobytes()
        elif task.kind is TaskKind.PLANTED:
            assert task.original == original.tobytes()
            altered = shown(task)
            assert (altered != original).any()
            assert set(np.unique(altered)) <= {1, 2, 3, 4, 5, 6, 7}
        else:
            assert task.original is None
            np.testing.assert_array_equal(shown(task), original)
        assert task.copies == 3
    assert all((one == 1).all() for one in covered.values())


def test_numbers_of_each_kind(source: SeriesSource) -> None:
    counts = plan(source).counts
    assert (counts["reference"], counts["blind"], counts["planted"], counts["qualification"]) == (14, 14, 29, 4)


def test_a_planted_error_is_the_second_most_probable_class(world: World, source: SeriesSource) -> None:
    """Where the guess is wrong with probabilities .45, .275, .275, the other two classes of the world are possible."""
    for task in plan(source).tasks:
        if task.kind is TaskKind.PLANTED:
            assert set(np.unique(shown(task))) <= {1, 5, 6}
    assert world.truth


def test_priorities_follow_doubt_and_tell_no_kind(source: SeriesSource) -> None:
    tasks = plan(source).tasks
    errors = np.array([np.frombuffer(task.doubt or b"", np.uint8).mean() for task in tasks])
    priorities = np.array([task.priority for task in tasks])
    order = np.argsort(errors)
    assert (np.diff(priorities[order]) >= -1e-12).all()
    # The same place has the same priority whatever it was drawn for.
    other = CampaignSettings(**{**_values(), "seed": 6})  # type: ignore[arg-type]
    again = {task.window: task for task in plan(source, other).tasks}
    assert any(again[task.window].kind is not task.kind for task in tasks)
    assert all(again[task.window].priority == task.priority for task in tasks)


def _values() -> dict[str, object]:
    return {key: value for key, value in SETTINGS.document().items() if key != "acceptance"}


def test_random_order_is_the_control(source: SeriesSource) -> None:
    tasks = plan(source, CampaignSettings(**{**_values(), "order": "random"})).tasks  # type: ignore[arg-type]
    assert len({task.priority for task in tasks}) == len(tasks)
    assert all(task.error is None for task in tasks)


def test_suspected_labels_come_first(source: SeriesSource) -> None:
    tasks = plan(source, suspects={"33UUR_01": [(59, 59, 0.99)]}).tasks
    first = max(tasks, key=lambda task: task.priority)
    assert (first.window.chip, first.window.row, first.window.column) == ("33UUR_01", 50, 50)


def test_a_suspected_chip_comes_first_as_a_whole(source: SeriesSource) -> None:
    plain = {one.window: one.priority for one in plan(source).tasks}
    tasks = plan(source, suspects={"33UUR_01": [(-1, -1, 0.99)]}).tasks
    raised = {one.window.chip for one in tasks if one.priority > plain[one.window]}
    assert raised == {"33UUR_01"}
    assert all(one.priority > plain[one.window] for one in tasks if one.window.chip == "33UUR_01")


def test_suspected_labels_that_change_nothing_are_noted(source: SeriesSource) -> None:
    own = CampaignSettings(**{**_values(), "order": "random"})  # type: ignore[arg-type]
    notes = plan(source, own, suspects={"33UUR_09": [(1, 1, 0.5)]}).notes
    assert "33UUR_09: 1 suspected label of a chip that is not in the campaign" in notes
    assert "suspected labels do not come first: the order is random" in notes


class _OneChip(CorpusGuess):
    """Has a guess for one chip alone."""

    def read(self, chip: str) -> ChipGuess | None:
        return super().read(chip) if chip == "32UPA_00" else None


def test_fewer_blind_tasks_than_wanted_are_noted(source: SeriesSource) -> None:
    item = guess_product(source.corpus.info)
    assert item is not None
    classes = guess_classes(source.corpus.info, item)
    reader = _OneChip(corpus=source.corpus, item=item, classes=classes)
    settings = CampaignSettings(task_size=10, context=30, reference_share=0, blind_share=0.5, planted_share=0)
    found = plan_tasks(source, source.corpus.query().ids, settings, classes, reader)
    assert found.counts["blind"] == 36
    assert "36 blind tasks instead of 72: no more have a guess" in found.notes


def test_without_a_guess_every_task_is_blank(source: SeriesSource) -> None:
    found = plan(source, guess=False)
    assert all(task.guess is None and task.original is None and task.doubt is None for task in found.tasks)
    assert len({task.priority for task in found.tasks}) == 1
    assert found.counts["blind"] == found.counts["planted"] == 0
    assert "no task has a guess: there are no blind tasks and no planted errors" in found.notes


def test_no_chips_are_refused(source: SeriesSource) -> None:
    item = guess_product(source.corpus.info)
    assert item is not None
    with pytest.raises(InvalidInputError, match="got no chips"):
        plan_tasks(source, [], SETTINGS, guess_classes(source.corpus.info, item), None)
