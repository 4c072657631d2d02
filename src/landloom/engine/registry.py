"""The available product kinds and samplers, and the recipes that use them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self, TypeVar, Union

from pydantic import Field, create_model

from landloom.archive.open import archive_problems
from landloom.engine.kinds import SHARED, ProductRequest
from landloom.engine.project import Project
from landloom.errors import Problem
from landloom.model.recipe import Name, Recipe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from landloom.engine.kinds import ProductKind, Sampler
    from landloom.model.recipe import SamplerSection, Sections

_KEY: Final = r"^[a-z][a-z0-9_]*$"
"""Pattern of product keys, which become parts of file names."""
Written = TypeVar("Written", bound=Recipe)
ProductKey = Annotated[str, Field(pattern=_KEY)]


@dataclass(frozen=True, kw_only=True)
class Registry:
    """Product kinds and samplers.

    Example:
        >>> from landloom.pipelines.registry import REGISTRY
        >>> sorted(kind.name for kind in REGISTRY.products)[:3]
        ['composite', 'external', 'fractions']
    """

    products: tuple[ProductKind[Any], ...]
    """In the order of their sections in documents."""
    samplers: tuple[Sampler[Any], ...]

    @cached_property
    def recipe(self) -> type[Recipe]:
        """The class that reads recipes."""
        return _recipe_model(self)

    @property
    def own_keys(self) -> list[ProductKind[Any]]:
        """Kinds with sections under a separate key."""
        return [kind for kind in self.products if kind.recipe_key.name != SHARED]

    def open(self, path: str | Path) -> Project:
        """Read a recipe file, or the `landloom.yaml` of a folder.

        Raises:
            RecipeError: lists every problem in it.
        """
        return Project.open(path, self.recipe)

    def sampler(self, section: SamplerSection) -> Sampler[Any]:
        """The sampler of a section."""
        return next(one for one in self.samplers if type(section) is one.section)

    def missing_inputs(self, project: Project) -> list[str]:
        """Files that a recipe names and that do not exist yet."""
        recipe = project.recipe
        names = list(self.sampler(recipe.samples).files(recipe.samples))
        for request in self.requests(project):
            names += request.kind.files(request.section)
        names += [one.href for one in recipe.named_archives().values() if one.href]
        names += [recipe.region.file] if recipe.region.file else []
        names += [recipe.scenes.file] if recipe.scenes is not None and recipe.scenes.file else []
        return sorted({name for name in names if "://" not in name and not Path(project.path(name)).exists()})

    def requests(self, project: Project) -> tuple[ProductRequest[Any], ...]:
        """The requests of a recipe to its kinds, in document order."""
        found = _sections(self, dict(project.recipe))
        return tuple(
            ProductRequest(kind=kind, key=key, section=section, project=project) for kind, key, section in found
        )


def _sections(registry: Registry, read: Mapping[str, Any]) -> Iterator[tuple[ProductKind[Any], str, Any]]:
    """Kind, key and section of each product among the sections of a recipe."""
    kinds = {kind.section: kind for kind in registry.products}
    for key, section in (read.get(SHARED) or {}).items():
        yield kinds[type(section)], key, section
    for kind in registry.own_keys:
        held = read.get(kind.recipe_key.name)
        if kind.recipe_key.many:
            for key, section in (held or {}).items():
                yield kind, key, section
        elif held is not None:
            yield kind, kind.recipe_key.name, held


def _order(registry: Registry) -> tuple[str, ...]:
    """Keys of a recipe in document order."""
    keys = list(Recipe.model_fields)
    ends: dict[str, str] = {}
    for kind in registry.own_keys:
        after = ends.get(kind.recipe_key.after, kind.recipe_key.after)
        keys.insert(keys.index(after) + 1, kind.recipe_key.name)
        ends[kind.recipe_key.after] = kind.recipe_key.name
    return tuple(keys)


def _misfits(registry: Registry, read: Sections) -> Iterator[Problem]:
    """Conflicts between sections that are valid in themselves."""
    archives = dict(read.get("archives") or {})
    for where, section in [(f"archives.{name}", one) for name, one in archives.items()]:
        yield from archive_problems(section, where)
    if read.get("archive") is not None:
        yield from archive_problems(read["archive"], "archive")
    if read.get("samples") is not None:
        yield from registry.sampler(read["samples"]).misfits(read["samples"], read)
    taken = set()
    for kind, key, section in _sections(registry, read):
        yield from kind.misfits(key, section, read)
        for field in kind.archive_fields:
            own = getattr(section, field, None)
            taken |= {own}
            if own is not None and own not in archives:
                where = f"{kind.recipe_key.name}.{key}.{field}"
                known = ", ".join(archives) or "none"
                yield Problem(where=where, what=f"got {own!r}, expected one of archives: {known}")
    if "products" in read and len(archives) > 1:
        for name in archives.keys() - taken:
            yield Problem(where=f"archives.{name}", what="no product takes scenes from it: remove it, or name it")


def _conflicts(registry: Registry, recipe: Recipe) -> Iterator[Problem]:
    """Products that two sections would make, and needed products that no section makes."""
    made: dict[str, str] = {}
    requests = registry.requests(Project(recipe=recipe, folder=Path()))
    for request in requests:
        for item in request.kind.estimated(request):
            if made.setdefault(item.key, request.path) != request.path:
                yield Problem(where=request.path, what=f"makes the product {item.key}, as {made[item.key]} does")
                break
    for request in requests:
        for key in request.kind.needs(request.section):
            if key not in made:
                yield Problem(where=request.path, what=f"is made from the product {key}, which no section makes")


def _completed(registry: Registry, recipe: Written) -> Written:
    """The recipe with the defaults filled in that depend on other sections."""
    update: dict[str, Any] = {}
    if recipe.scenes is not None and recipe.scenes.policy is None:
        policy = registry.sampler(recipe.samples).policy
        update["scenes"] = recipe.scenes.model_copy(update={"policy": policy})
    for kind, key, section in _sections(registry, dict(recipe)):
        done = kind.completed(section, recipe)
        if kind.recipe_key.many:
            held = update.get(kind.recipe_key.name, getattr(recipe, kind.recipe_key.name))
            update[kind.recipe_key.name] = {**held, key: done}
        else:
            update[kind.recipe_key.name] = done
    return recipe.model_copy(update=update)


def _recipe_model(registry: Registry) -> type[Recipe]:
    """The class of recipes with the sections of a registry's kinds and samplers."""

    class Registered(Recipe):
        order: ClassVar[tuple[str, ...]] = _order(registry)

        @classmethod
        def misfits(cls, read: Sections) -> Iterable[Problem]:
            return [*super().misfits(read), *_misfits(registry, read)]

        def conflicts(self) -> Iterable[Problem]:
            return _conflicts(registry, self)

        def completed(self) -> Self:
            return _completed(registry, self)

    samplers = _union(one.section for one in registry.samplers)
    sections = _union(kind.section for kind in registry.products if kind.recipe_key.name == SHARED)
    product: Any = Annotated[sections, Field(discriminator="kind")]
    fields: dict[str, Any] = {
        "samples": (Annotated[samplers, Field(discriminator="draw")], ...),
        SHARED: (dict[ProductKey, product], ...),
    }
    for kind in registry.own_keys:
        one: Any = kind.section
        held: Any = dict[Name, one] if kind.recipe_key.many else one | None
        default: Any = {} if kind.recipe_key.many else None
        fields[kind.recipe_key.name] = (held, Field(default=default, description=kind.recipe_key.text))
    model: type[Recipe] = create_model("Recipe", __base__=Registered, __module__=__name__, **fields)
    model.__doc__ = Recipe.__doc__
    return model


def _union(sections: Iterable[type[Any]]) -> Any:
    return Union[tuple(sections)]  # noqa: UP007 - of types that are known at run time only
