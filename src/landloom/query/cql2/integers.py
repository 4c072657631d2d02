"""Exact arithmetic over columns: ratios of integers, never floats.

A value is numerator / denominator, each an integer or an int64 array. The largest possible absolute value of each is
tracked, so that an overflow is refused before it happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMIT: Final = 2**62
"""Upper bound of all numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exact:
    """One exact number per row, or one for all rows."""

    top: NDArray[np.integer] | int
    """Numerator."""
    bottom: NDArray[np.int64] | int
    """Denominator, positive."""
    top_limit: int
    """Maximum absolute numerator."""
    bottom_limit: int
    """Maximum denominator."""
    null: NDArray[np.bool_] | None = None
    """Rows without a value (division by zero)."""

    def __post_init__(self) -> None:
        if self.top_limit >= LIMIT or self.bottom_limit >= LIMIT:
            raise InvalidInputError("filter: got arithmetic on numbers too large to stay exact")

    @classmethod
    def constant(cls, value: Fraction) -> Exact:
        """One number for all rows.

        Example:
            >>> Exact.constant(Fraction("0.8")).bottom
            5
        """
        return cls(
            top=value.numerator,
            bottom=value.denominator,
            top_limit=abs(value.numerator),
            bottom_limit=value.denominator,
        )

    @classmethod
    def column(cls, values: NDArray[np.integer], bottom: int, limit: int) -> Exact:
        """Integers over a common denominator.

        Args:
            values: (row,) numerators.
            bottom: the denominator.
            limit: maximum absolute numerator.
        """
        return cls(top=values, bottom=bottom, top_limit=limit, bottom_limit=bottom)

    @property
    def fraction(self) -> Fraction | None:
        """The value if it is the same for all rows."""
        if isinstance(self.top, int) and isinstance(self.bottom, int) and self.null is None:
            return Fraction(self.top, self.bottom)
        return None

    def _nulls(self, other: Exact) -> NDArray[np.bool_] | None:
        if self.null is None or other.null is None:
            return self.null if other.null is None else other.null
        return self.null | other.null

    def plus(self, other: Exact, sign: int = 1) -> Exact:
        """The sum, or with sign −1 the difference."""
        if isinstance(self.bottom, int) and isinstance(other.bottom, int):
            shared = gcd(self.bottom, other.bottom)
            left: Any = other.bottom // shared
            right: Any = self.bottom // shared
            limits = self.top_limit * left + other.top_limit * right, self.bottom * left
        else:
            left, right = other.bottom, self.bottom
            limits = (
                self.top_limit * other.bottom_limit + other.top_limit * self.bottom_limit,
                self.bottom_limit * other.bottom_limit,
            )
        _check(limits[0], limits[1])
        wide = limits[0] >= 2**31
        return Exact(
            top=_scaled(self.top, left, wide=wide) + sign * _scaled(other.top, right, wide=wide),
            bottom=self.bottom * left,
            top_limit=limits[0],
            bottom_limit=limits[1],
            null=self._nulls(other),
        )

    def times(self, other: Exact) -> Exact:
        """The product."""
        limits = self.top_limit * other.top_limit, self.bottom_limit * other.bottom_limit
        _check(*limits)
        return Exact(
            top=_wide(self.top) * _wide(other.top),
            bottom=self.bottom * other.bottom,
            top_limit=limits[0],
            bottom_limit=limits[1],
            null=self._nulls(other),
        )

    def inverse(self) -> Exact:
        """The reciprocal; null for zero."""
        if isinstance(self.top, int):
            if self.top == 0:
                raise InvalidInputError("filter: got a division by zero")
            sign = 1 if self.top > 0 else -1
            return Exact(
                top=self.bottom * sign,
                bottom=abs(self.top),
                top_limit=self.bottom_limit,
                bottom_limit=self.top_limit,
                null=self.null,
            )
        zero = self.top == 0
        return Exact(
            top=np.sign(_wide(self.top)) * self.bottom,
            bottom=np.where(zero, 1, np.abs(_wide(self.top))),
            top_limit=self.bottom_limit,
            bottom_limit=max(self.top_limit, 1),
            null=zero if self.null is None else zero | self.null,
        )

    def truncated(self) -> Exact:
        """The integer part, towards zero."""
        if isinstance(self.top, int) and isinstance(self.bottom, int):
            whole: Any = abs(self.top) // self.bottom * (1 if self.top >= 0 else -1)
        else:
            whole = np.sign(self.top) * (np.abs(_wide(self.top)) // self.bottom)
        return Exact(top=whole, bottom=1, top_limit=self.top_limit, bottom_limit=1, null=self.null)

    def power(self, other: Exact) -> Exact:
        """Integer powers from 0 to 8."""
        exponent = other.fraction
        if exponent is None or exponent.denominator != 1 or not 0 <= exponent <= 8:
            raise InvalidInputError("filter: expected a power that is a whole number from 0 to 8")
        result = Exact.constant(Fraction(1))
        for _ in range(int(exponent)):
            result = result.times(self)
        return result


def _scaled(value: NDArray[np.integer] | int, factor: Any, *, wide: bool) -> Any:
    """Value times factor; int32 is kept if it suffices, which halves the memory traffic."""
    value = _wide(value) if wide else value
    return value if isinstance(factor, int) and factor == 1 else value * factor


def _wide(value: NDArray[np.integer] | int) -> Any:
    return value if isinstance(value, int) else value.astype(np.int64, copy=False)


def _check(top: int, bottom: int) -> None:
    if top >= LIMIT or bottom >= LIMIT:
        raise InvalidInputError("filter: got arithmetic on numbers too large to stay exact")


def compare(op: str, left: Exact, right: Exact) -> Any:
    """Rows that satisfy `left op right`; rows without a value are undefined here, see `Exact.null`.

    Args:
        op: one of `= <> < > <= >=`.
        left: one side.
        right: the other.

    Returns:
        (row,) bool, or one bool if both sides are constant.

    Example:
        >>> column = Exact.column(np.array([800_000, 800_001]), 1_000_000, 1_000_000)
        >>> compare(">", column, Exact.constant(Fraction("0.8"))).tolist()
        [False, True]
    """
    threshold = right.fraction
    if threshold is None and left.fraction is not None:
        mirrored = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(op, op)
        return compare(mirrored, right, left)
    if threshold is not None and isinstance(left.bottom, int):
        return _threshold(op, left.top, threshold * left.bottom)
    difference = left.plus(right, -1).top
    return _threshold(op, difference, Fraction(0))


def _threshold(op: str, values: Any, limit: Fraction) -> Any:
    """Compare integers with a fraction, in integer arithmetic."""
    if op == ">":
        return values > floor(limit)
    if op == ">=":
        return values >= ceil(limit)
    if op == "<":
        return values < ceil(limit)
    if op == "<=":
        return values <= floor(limit)
    if limit.denominator != 1:
        none: Any = np.zeros(np.shape(values), dtype=bool)
        return none if op == "=" else ~none
    return values == limit.numerator if op == "=" else values != limit.numerator
