"""The section of a recipe that asks for guess labels."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from landloom.model.recipe import ClassMapSource, ProductSection, Terms


class GuessProduct(ClassMapSource, ProductSection):
    """Guess labels: a classifier for each granule, trained on an existing land-cover map."""

    classifier: str = "balanced-random-forest"
    """That, or a scikit-learn class by its full name."""
    trees: Annotated[int, Field(ge=1)] = 100
    """Trees of the balanced forest; LandCoverNet published 2."""
    depth: Annotated[int, Field(ge=1)] | None = None
    """Levels of a tree; as deep as it grows if absent."""
    leaves: Annotated[int, Field(ge=1)] = 5
    """Least pixels in a leaf."""
    per_tree: Annotated[int, Field(ge=1)] | None = 2_000
    """Most pixels of a class that a tree sees; as many as the rarest class has if null."""
    options: dict[str, Any] = {}
    """Keyword arguments of another classifier."""
    prior: Literal["map", "balanced"] = "map"
    """Whether classes get the shares back that they have in the map, or count as equally common, as published."""
    agreement: Annotated[float, Field(gt=0, le=1)] | Literal["majority"] = 0.2
    """Share of the year's clear observations that must show what the map says; `majority`, as published."""
    per_class: Annotated[int, Field(ge=1)] = 50_000
    """Most pixels of a class that are learned from."""
    least: Annotated[int, Field(ge=1)] = 100
    """Classes with fewer pixels are left out."""
    holdout: Annotated[float, Field(ge=0, le=0.9)] = 0.25
    """Share of the drawn pixels of each class that is held out for scores."""
    held_out: Annotated[int, Field(ge=0)] = 0
    """Chips of each granule that are kept out of training for scores, the last of its draw."""
    buffer: Annotated[int, Field(ge=0)] = 32
    """Pixels around these that are not learned from either."""
    terms: Terms
    """Under which terms the labels are published."""
