"""Displacements of scenes that were moved by known ones: found to a fraction of a pixel, or not trusted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import fourier_shift, gaussian_filter

from landloom.errors import InvalidValueError
from landloom.imagery.registration.shifts import LEAST_SIDE, MOST, ShiftMeter, adjusted

SIDE = 160


def ground(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    fine, coarse = (
        gaussian_filter(rng.standard_normal((SIDE + 80, SIDE + 80)), width, mode="wrap") for width in (1.2, 8)
    )
    return np.asarray(3_000 + 400 * (fine / fine.std() + coarse / coarse.std()))


def moved(image: np.ndarray, right: float, down: float) -> np.ndarray:
    """Exactly, by the shift theorem; cut where that does not wrap."""
    whole = np.fft.ifft2(fourier_shift(np.fft.fft2(image), (down, right))).real
    return np.asarray(whole[40:-40, 40:-40])


def scenes(places: np.ndarray, *, noise: float = 60.0, cloud: float = 0.25) -> tuple[np.ndarray, np.ndarray]:
    """A slowly changing ground, moved, noisy, and under clouds that lie elsewhere each day."""
    rng, first, last = np.random.default_rng(5), ground(1), ground(2)
    stack, valid = [], []
    for number, place in enumerate(places):
        share = 0.3 * number / len(places)
        image = moved((1 - share) * first + share * last, *place)
        field = gaussian_filter(rng.standard_normal((SIDE, SIDE)), 15)
        clear = field < np.quantile(field, 1 - cloud)
        image = np.where(clear, image, 8_000) + noise * rng.standard_normal(image.shape)
        stack.append(np.clip(np.rint(image), 1, 65_534).astype(np.uint16))
        valid.append(clear)
    return np.stack(stack), np.stack(valid)


def measured(stack: np.ndarray, valid: np.ndarray, days: np.ndarray) -> np.ndarray:
    meter = ShiftMeter(days=days)
    meter.add(stack, valid)
    return np.array([(one.right, one.down) for one in meter.shifts() if one is not None])


def test_known_displacements_are_found_under_clouds() -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(-0.5, 0.5, (12, 2))
    places -= places.mean(axis=0)
    found = measured(*scenes(places), np.arange(0.0, 12 * 5.0, 5.0))
    assert np.abs(found - places).max() < 0.05


@pytest.mark.parametrize("far", [(5.0, 0.0), (-4.0, 3.0), (0.0, -16.0)])
def test_one_scene_far_off_leaves_the_others_where_they_are(far: tuple[float, float]) -> None:
    places = np.zeros((10, 2))
    places[6] = far
    stack, valid = scenes(places)
    meter = ShiftMeter(days=np.arange(0.0, 10 * 5.0, 5.0), pixel=20.0)
    meter.add(stack, valid)
    shifts = [one for one in meter.shifts() if one is not None]
    assert len(shifts) == 10
    assert all(one.is_sure for one in shifts)
    assert np.hypot(shifts[6].right - far[0], shifts[6].down - far[1]) < 0.1
    assert shifts[6].east == pytest.approx(20.0 * shifts[6].right)
    assert shifts[6].is_too_far == (np.hypot(*far) > MOST)
    assert max(one.size for number, one in enumerate(shifts) if number != 6) < 0.1
    assert not any(one.is_worth_it for number, one in enumerate(shifts) if number != 6)


def test_what_shows_something_else_is_not_trusted() -> None:
    stack, valid = scenes(np.zeros((6, 2)))
    stack[3] = np.rint(ground(77)[40:-40, 40:-40])
    valid[4] = False
    meter = ShiftMeter(days=np.arange(0.0, 6 * 5.0, 5.0))
    meter.add(stack, valid)
    shifts = meter.shifts()
    assert [one is not None and one.is_sure for one in shifts] == [True, True, True, False, False, True]
    assert shifts[4] is None


def test_scenes_of_one_overpass_are_not_compared_with_each_other() -> None:
    """Two granules show the same pixels, noise included: they agree whatever the ground."""
    stack, valid = scenes(np.array([[0.0, 0.0], [0.4, 0.0], [0.4, 0.0], [0.0, 0.0]]), cloud=0.0)
    stack[2] = stack[1]
    found = measured(stack, valid, np.array([0.0, 5.0, 5.0, 10.0]))
    np.testing.assert_allclose(found[1:3, 0] - found[[0, 3], 0].mean(), 0.4, atol=0.05)


def test_windows_are_joined_and_too_small_ones_refused() -> None:
    places = np.array([[0.3, 0.0], [-0.3, 0.0], [0.0, 0.0]])
    stack, valid = scenes(places, cloud=0.0)
    meter = ShiftMeter(days=np.arange(0.0, 3 * 5.0, 5.0))
    for row in (0, 80):
        for column in (0, 80):
            part = np.s_[:, row : row + 80, column : column + 80]
            meter.add(stack[part], valid[part])
    shifts = meter.shifts()
    assert [one.windows for one in shifts if one is not None] == [4, 4, 4]
    assert max(abs(one.right - x) for one, (x, _) in zip(shifts, places, strict=True) if one is not None) < 0.1
    small = np.s_[:, : LEAST_SIDE - 2, :]
    with pytest.raises(InvalidValueError, match="blocks"):
        meter.add(stack[small], valid[small])


def test_no_scene_and_a_single_one() -> None:
    assert ShiftMeter(days=np.zeros(0)).shifts() == ()
    meter = ShiftMeter(days=np.zeros(1))
    meter.add(*scenes(np.zeros((1, 2))))
    assert meter.shifts() == (None,)


def test_a_chain_of_scenes_does_not_drift() -> None:
    """Each is compared with its neighbours alone: errors must not add up to a seasonal displacement."""
    count, rng = 60, np.random.default_rng(0)
    share = np.exp(-np.abs(np.subtract.outer(np.arange(count), np.arange(count))) / 8)
    np.fill_diagonal(share, 0.0)
    share /= share.sum(axis=1, keepdims=True)
    true = rng.uniform(-0.3, 0.3, (count, 2))
    noise = 0.03 * rng.standard_normal(true.shape)
    found = adjusted(true - share @ true + noise, np.full(count, 0.05), share)
    assert np.sqrt(np.square(found - (true - true.mean(axis=0))).mean()) < 0.06
