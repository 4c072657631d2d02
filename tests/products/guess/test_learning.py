"""Training on an area: from pixels where map and imagery agree, and from nothing that was held out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.projects import TERMS

from landloom.errors import InvalidInputError
from landloom.labels.guess.model import DEFAULTS, PUBLISHED, GuessSettings
from landloom.model.grid import Grid
from landloom.model.recipe import Terms
from landloom.pipelines.registry import REGISTRY
from landloom.pipelines.starters import write_starter
from landloom.products.guess.learning import learn
from landloom.products.guess.section import GuessProduct, guess_settings, section_values

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

AREA = Grid.of_bounds(32633, (500_040, 5_000_040, 501_240, 5_001_240), 10)
TIMES = tuple(datetime(2018, month, 10, tzinfo=UTC) for month in (3, 6, 9))
WATER, WOOD = 1, 5
HELD = AREA.window(40, 40, 24, 24)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Imagery:
    """Water in the west, wood in the east, as numbers and as scene classes."""

    stack: NDArray[np.uint16]
    scl: NDArray[np.uint8]
    times: tuple[datetime, ...] = TIMES
    bands: tuple[str, ...] = ("B04", "B08")

    def classes(self, strip: Grid) -> NDArray[np.uint8]:
        row, column = strip.at(10).offset_in(AREA)
        part = self.scl[:, row : row + 2 * strip.height, column : column + 2 * strip.width]
        return part[:, ::2, ::2]

    def pixels(self, area: Grid, picked: NDArray[np.int64]) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        assert area == AREA
        numbers = self.stack.reshape(len(TIMES), 2, 1, -1)[..., picked]
        return numbers, np.ones((len(TIMES), 1, len(picked)), np.bool_)


def imagery(seed: int = 1) -> Imagery:
    rng = np.random.default_rng(seed)
    stack = np.empty((len(TIMES), 2, *AREA.shape), np.uint16)
    scl = np.empty((len(TIMES), *AREA.shape), np.uint8)
    stack[..., :60] = rng.integers(100, 300, (len(TIMES), 2, 120, 60))
    stack[..., 60:] = rng.integers(2_000, 4_000, (len(TIMES), 2, 120, 60))
    scl[..., :60], scl[..., 60:] = 6, 4
    return Imagery(stack=stack, scl=scl)


def truth() -> NDArray[np.uint8]:
    codes = np.full(AREA.shape, WATER, np.uint8)
    codes[:, 60:] = WOOD
    return codes


def section(**settings: Any) -> GuessProduct:
    terms = Terms(licence="CC0-1.0", attribution="-")
    return GuessProduct(file="-", terms=terms, **{"trees": 5, "least": 20, "buffer": 4} | settings)


def learned(codes: NDArray[np.uint8], seen: Imagery | None = None, **settings: Any) -> Any:
    def target(strip: Grid) -> NDArray[np.uint8]:
        row, column = strip.offset_in(AREA)
        return codes[row : row + strip.height, column : column + strip.width]

    return learn(seen or imagery(), target, AREA, section(**settings), seed=1, held=[HELD])


def test_what_map_and_imagery_agree_on_is_learned() -> None:
    """A map that is wrong about every tenth pixel teaches as well: imagery shows what it does."""
    wrong = truth()
    flipped = np.random.default_rng(2).random(AREA.shape) < 0.1
    wrong[flipped] = WATER + WOOD - wrong[flipped]
    for codes, agreeing in ((truth(), 1.0), (wrong, 0.9)):
        found = learned(codes)
        assert found.model.classes == (WATER, WOOD)
        assert found.test.accuracy > 0.99
        assert found.agreeing == pytest.approx(agreeing * (1 - 32**2 / 120**2), abs=0.01)
        assert found.dropped == ()
        assert found.importances is not None
        assert sum(found.importances.document()["bands"].values()) == pytest.approx(1)


def test_what_is_held_out_and_around_it_is_not_learned_from() -> None:
    """Whatever the map says there, and whatever is seen there."""
    codes, seen = truth(), imagery()
    part = np.s_[36:68, 36:68]
    codes[part] = WATER + WOOD - codes[part]
    seen.stack[:, :, 36:68, 36:68] = 9_999
    first, again = learned(truth()), learned(codes, seen)
    pixels = np.random.default_rng(3).integers(1, 5_000, (6, 200), dtype=np.uint16)
    np.testing.assert_array_equal(first.model.probabilities(pixels), again.model.probabilities(pixels))
    assert first.counts == again.counts
    codes[70, 70] = WATER + WOOD - codes[70, 70]
    assert learned(codes).counts != first.counts


def test_a_class_with_too_few_pixels_is_dropped_and_named() -> None:
    codes = truth()
    codes[:3, 60:63] = 7
    found = learned(codes)
    assert (found.model.classes, found.dropped) == ((WATER, WOOD), (7,))
    assert found.counts[7] == 9


def test_a_map_that_agrees_nowhere_is_said() -> None:
    with pytest.raises(InvalidInputError, match="agree on no class with at least 20 pixels, of 14,400 classified"):
        learned(WATER + WOOD - truth())


def test_pixels_that_were_never_seen_teach_nothing() -> None:
    class Blind(Imagery):
        def pixels(self, area: Grid, picked: NDArray[np.int64]) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
            numbers, valid = Imagery.pixels(self, area, picked)
            rows = picked // AREA.width
            valid[..., rows < 60] = False
            return numbers, valid

    seen = imagery()
    seen.stack[:, :, :60] = 9_999
    blind = Blind(stack=seen.stack, scl=seen.scl)
    assert learned(truth(), blind).test.accuracy > 0.99


def test_settings_are_the_sections() -> None:
    plain = guess_settings(section(trees=7, depth=3, leaves=2, per_tree=None, prior="balanced", agreement=0.4))
    told = (plain.trees, plain.depth, plain.leaves, plain.per_tree, plain.prior, plain.agreement)
    assert told == (7, 3, 2, None, "balanced", 0.4)
    assert guess_settings(section(agreement="majority")).agreement is None


@pytest.mark.parametrize("settings", [DEFAULTS, PUBLISHED, GuessSettings(trees=7, depth=3, options={"n_jobs": 1})])
def test_settings_and_sections_say_the_same(settings: GuessSettings) -> None:
    section = GuessProduct.model_validate({"file": "-", "terms": TERMS, **section_values(settings)})
    assert guess_settings(section) == settings


def test_the_published_forest_is_one_word_and_keys_beside_it_win() -> None:
    plain = {"file": "-", "terms": TERMS, "forest": "published"}
    assert guess_settings(GuessProduct.model_validate(plain)) == PUBLISHED
    assert guess_settings(GuessProduct.model_validate(plain | {"trees": 7})) == replace(PUBLISHED, trees=7)


def test_a_section_without_settings_has_the_defaults_also_in_the_recipe_of_landcovernet(tmp_path: Path) -> None:
    section = GuessProduct.model_validate({"file": "-", "terms": TERMS})
    assert guess_settings(section) == DEFAULTS
    write_starter("landcovernet", tmp_path / "landloom.yaml")
    document = REGISTRY.open(tmp_path).recipe.document()
    assert guess_settings(GuessProduct.model_validate(document["guess"])) == DEFAULTS
