"""The recipe section of fused series."""

from __future__ import annotations

from typing import Final

DILATE: Final = 3
"""Pixels of the classification (20 m) by which unusable areas grow by default: a gap costs less than a missed cloud."""
