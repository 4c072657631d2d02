"""Text of a table → numbers, where all of a column is that and nothing is lost."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

_WHOLE: Final = r"-?(0|[1-9]\d{0,17})"
_FLOAT: Final = r"-?(0|[1-9]\d*)?(\.\d*)?([eE][-+]?\d+)?|-?nan|NaN"
_COMMA: Final = r"-?(0|[1-9]\d*),\d+"


def typed_texts(texts: Any, decimal: str = ".") -> Any:
    """Text as whole numbers where all of it is (64 bits exact, no leading zeros), else as floats, else as it is.

    Args:
        texts: (row,) text or None.
        decimal: what may stand before decimals beside the point: a comma where cells are not separated by one.

    Example:
        >>> typed_texts(["7", None]).tolist(), typed_texts(["0513"]).tolist(), typed_texts(["1,5", "2"], ",").tolist()
        ([7, None], ['0513'], [1.5, 2.0])
    """
    import pandas as pd

    column = pd.Series(texts, dtype=object)
    filled = column.dropna().astype(str)
    if not len(filled):
        return column
    if filled.str.fullmatch(_WHOLE).all():
        whole = [int(text) if isinstance(text, str) else None for text in column]
        return pd.Series(whole, dtype=object if None in whole else "int64")
    commas = filled.str.fullmatch(_COMMA)
    if decimal == "," and commas.any():
        plain = filled.str.replace(",", ".", regex=False).where(commas, filled)
        return typed_texts(column.mask(column.notna(), plain)) if _are_numbers(plain) else column
    return pd.to_numeric(column, errors="coerce") if _are_numbers(filled) else column


def _are_numbers(texts: Any) -> bool:
    """Whether all of it is numbers, or says that it is none."""
    import pandas as pd

    if not texts.str.fullmatch(_FLOAT).all():
        return False
    numbers = pd.to_numeric(texts, errors="coerce")
    return bool(numbers.notna().sum() == (texts.str.lower().str.lstrip("-") != "nan").sum()) and bool(
        np.isfinite(numbers.dropna()).all()
    )
