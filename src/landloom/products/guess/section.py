"""The recipe section of guess labels."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from landloom.labels.guess.model import DEFAULTS, PUBLISHED, GuessSettings
from landloom.model.recipe import ClassMapSource, ProductSection, Terms


class GuessProduct(ClassMapSource, ProductSection):
    """Guess labels: a classifier for each granule, trained on an existing land-cover map."""

    forest: Literal["default", "published"] = "default"
    """`published` for LandCoverNet's forest: two trees, balanced priors, the majority rule; keys beside it win."""
    classifier: str = DEFAULTS.classifier
    """`balanced-random-forest`, or a scikit-learn class by its full name."""
    trees: Annotated[int, Field(ge=1)] = DEFAULTS.trees
    """Trees of the balanced forest; LandCoverNet published 2."""
    depth: Annotated[int, Field(ge=1)] | None = DEFAULTS.depth
    """Maximum depth of a tree; unlimited if absent."""
    leaves: Annotated[int, Field(ge=1)] = DEFAULTS.leaves
    """Minimum number of pixels in a leaf."""
    per_tree: Annotated[int, Field(ge=1)] | None = DEFAULTS.per_tree
    """Maximum number of pixels of a class per tree; if null, as many as the rarest class has."""
    options: dict[str, Any] = dict(DEFAULTS.options)
    """Keyword arguments of another classifier."""
    prior: Literal["map", "balanced"] = DEFAULTS.prior
    """Class priors: `map` restores the class shares of the map; `balanced` gives all equal shares, as published."""
    agreement: Annotated[float, Field(gt=0, le=1)] | Literal["majority"] = DEFAULTS.agreement or "majority"
    """Minimum share of the year's clear observations that must agree with the map; `majority`, as published."""
    per_class: Annotated[int, Field(ge=1)] = 50_000
    """Maximum number of training pixels of a class."""
    least: Annotated[int, Field(ge=1)] = 100
    """Classes with fewer pixels are left out."""
    holdout: Annotated[float, Field(ge=0, le=0.9)] = 0.25
    """Share of the drawn pixels of each class that is held out for scores."""
    held_out: Annotated[int, Field(ge=0)] = 0
    """Chips of each granule that are held out for scores, the last ones of its draw."""
    buffer: Annotated[int, Field(ge=0)] = 32
    """Buffer in pixels around held-out chips that is not used for training either."""
    terms: Terms
    """Terms under which the labels are published."""

    @model_validator(mode="before")
    @classmethod
    def _preset(cls, values: Any) -> Any:
        """Keys that are not stated are those of the published forest, if it is asked for."""
        if not isinstance(values, dict) or values.get("forest") != "published":
            return values
        return section_values(PUBLISHED) | values


def guess_settings(section: GuessProduct) -> GuessSettings:
    """The settings of a recipe's section."""
    return GuessSettings(
        classifier=section.classifier,
        trees=section.trees,
        depth=section.depth,
        leaves=section.leaves,
        per_tree=section.per_tree,
        options=section.options,
        prior=section.prior,
        agreement=None if section.agreement == "majority" else section.agreement,
    )


def section_values(settings: GuessSettings) -> dict[str, Any]:
    """The keys of a recipe's section that give these settings; the inverse of `guess_settings`.

    Example:
        >>> section_values(GuessSettings(agreement=None))["agreement"]
        'majority'
    """
    values = {one.name: getattr(settings, one.name) for one in fields(settings)}
    return values | {"agreement": "majority" if settings.agreement is None else settings.agreement}
