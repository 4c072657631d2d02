"""Work is scaled from what was measured, and billed at rates: known answers and laws."""

from __future__ import annotations

import pytest

from landloom.errors import InvalidValueError
from landloom.pipelines.estimates.work import Bill, Measured, Rates, Work

MONTH = Measured(work=Work(requests=2_017, read=299e6, written=20e6, cpu=8), reads=6, chips=356, source="one month")


def test_a_part_scaled_to_itself_is_itself() -> None:
    assert MONTH.scaled(reads=6, chips=356) == MONTH.work


def test_what_is_read_follows_the_scenes_and_what_is_written_the_chips() -> None:
    more = MONTH.scaled(reads=12, chips=356)
    assert (more.requests, more.read, more.written, more.cpu) == (4_034, 598e6, 20e6, 16)
    assert MONTH.scaled(reads=6, chips=712).written == 40e6


def test_work_without_scenes_follows_the_chips() -> None:
    labels = Measured(work=Work(written=1e6, cpu=2), reads=0, chips=100, source="labels of one tile")
    assert labels.scaled(reads=0, chips=300) == Work(written=3e6, cpu=6)


def test_work_in_parts_is_the_work_at_once() -> None:
    assert MONTH.work.times(3) + MONTH.work.times(4) == MONTH.work.times(7)


def test_the_longer_of_reading_and_computing_is_the_time() -> None:
    work = Work(requests=3e6, read=1e12, cpu=2_000)
    slow = Bill.of(work, Rates(bandwidth=1e8, workers=4, gib=0.09))
    assert (slow.reading, slow.computing, slow.seconds) == (10_000, 500, 10_000)
    assert slow.cost == pytest.approx(3_000 * 0.0004 + 1e12 / 2**30 * 0.09)
    assert Bill.of(work, Rates(bandwidth=1e10, workers=1)).seconds == 2_000


@pytest.mark.parametrize("wrong", [{"bandwidth": 0.0}, {"workers": 0}, {"gib": -1.0}, {"thousand_gets": -0.1}])
def test_rates_at_which_nothing_ends_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError, match="expected"):
        Rates(**wrong)  # type: ignore[arg-type]
