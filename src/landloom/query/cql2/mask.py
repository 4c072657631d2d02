"""Masks by name: `synthetic <= 20 and days <= 5 and not cloud`, over the layers of a quality product.

The language is comparisons of layers with numbers, `and`, `or`, `not` and parentheses; a layer alone means "not 0". It
is parsed with Python's grammar and evaluated node by node, so that nothing else is possible.
"""

from __future__ import annotations

import ast
import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

MAX_LENGTH: Final = 1_000
"""Maximum number of characters of a mask."""
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _tree(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise InvalidInputError(f"mask: got {len(text)} characters, expected at most {MAX_LENGTH}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InvalidInputError(f"mask: got {text!r}, expected a mask such as 'days <= 5 and not cloud'") from error


def mask_layers(text: str) -> tuple[str, ...]:
    """Layers used by a mask.

    Example:
        >>> mask_layers("synthetic <= 20 and days <= 5 and not cloud")
        ('synthetic', 'days', 'cloud')
    """
    names = sorted(
        (node.lineno, node.col_offset, node.id) for node in ast.walk(_tree(text)) if isinstance(node, ast.Name)
    )
    return tuple(dict.fromkeys(name for _, _, name in names))


def evaluate_mask(text: str, layers: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Evaluate a mask.

    Args:
        text: the mask.
        layers: name → array, all with the same shape.

    Returns:
        Bool array with that shape; True means valid.

    Raises:
        NotFoundError: an unknown layer.
        InvalidInputError: anything but comparisons and logic.

    Example:
        >>> layers = {"days": np.array([1, 9, 2]), "cloud": np.array([0, 0, 1])}
        >>> evaluate_mask("days <= 5 and not cloud", layers).tolist()
        [True, False, False]
    """
    return _truth(_tree(text), layers)


def _truth(node: ast.expr, layers: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    if isinstance(node, ast.BoolOp):
        parts = [_truth(value, layers) for value in node.values]
        combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        result: NDArray[np.bool_] = combine.reduce(parts)
        return result
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return np.logical_not(_truth(node.operand, layers))
    if isinstance(node, ast.Compare):
        sides = [_value(side, layers) for side in (node.left, *node.comparators)]
        held = [
            _COMPARISONS[type(op)](left, right)
            for op, left, right in zip(node.ops, sides, sides[1:], strict=False)
            if type(op) in _COMPARISONS
        ]
        if len(held) == len(node.ops) and any(isinstance(side, np.ndarray) for side in sides):
            chained: NDArray[np.bool_] = np.logical_and.reduce(np.broadcast_arrays(*held))
            return chained
    if isinstance(node, ast.Name):
        return np.asarray(_value(node, layers) != 0)
    raise InvalidInputError(f"mask: got {ast.unparse(node)!r}, expected comparisons of layers with and, or, not")


def _value(node: ast.expr, layers: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(node, ast.Name):
        if node.id not in layers:
            raise NotFoundError.of("layer", node.id, layers)
        return layers[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, layers)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    raise InvalidInputError(f"mask: got {ast.unparse(node)!r}, expected a layer or a number")
