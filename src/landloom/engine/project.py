"""A recipe in its folder: paths of its inputs, and periods of its products."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from os.path import relpath
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, Self

from landloom.corpus.layout import STAC_NAMES, Layout
from landloom.model.scene import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.model.recipe import Recipe
    from landloom.model.scene import Scene
    from landloom.model.time import Period

RECIPE_FILE: Final = "landloom.yaml"
"""Default name of a recipe."""
CORPUS_FOLDER: Final = "corpus"
"""Default folder of a corpus, next to its recipe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A recipe, and the folder that its relative paths refer to."""

    recipe: Recipe
    folder: Path

    @classmethod
    def open(cls, path: str | Path, recipe: type[Recipe]) -> Self:
        """Read a recipe file, or the `landloom.yaml` of a folder.

        Args:
            path: the file, or the folder.
            recipe: class that reads it, from a registry.

        Raises:
            RecipeError: lists every problem in it.
        """
        file = Path(path)
        if file.is_dir():
            file /= RECIPE_FILE
        return cls(recipe=recipe.read(file), folder=file.resolve().parent)

    def path(self, name: str) -> str:
        """Make a path or URL of the recipe absolute.

        Example:
            >>> Project(recipe=None, folder=Path("/maps")).path("archive/catalog.json")
            '/maps/archive/catalog.json'
            >>> Project(recipe=None, folder=Path("/maps")).path("https://example.org/x")
            'https://example.org/x'
        """
        return name if "://" in name or Path(name).is_absolute() else str(self.folder / name)

    def portable(self, href: str, given: str | None) -> str:
        """An address of an archive in a form that remains valid if the project moves together with its inputs.

        Args:
            href: absolute path or URL.
            given: the archive's address in the recipe.

        Returns:
            The path from the recipe's folder, if the recipe names its archive that way; else the unchanged address.
        """
        inside = f"{self.folder}/"
        if inside in href:  # as in /vsizip//maps/project/products/x.zip/B02.jp2
            return href.replace(inside, "")
        if not given or "://" in href or given.startswith("/") or not href.startswith("/"):
            return href
        folder, _, name = href.rpartition("/")
        return _relative(folder or "/", str(self.folder)) + name

    def scene_identity(self, scene: Scene, bands: Sequence[str], archive: str) -> list[Any]:
        """Identity of a scene's files: href and checksum, else ETag and size; never a modification time.

        Args:
            scene: to identify.
            bands: bands read from it; the files of its masks are always included.
            archive: name of its archive in the recipe.
        """
        given = self.recipe.named_archives()[archive].href
        layers = [scene.layers[role] for role in (Role.CLASSIFICATION,) if role in scene.layers]
        own = [scene.bands[name] for name in bands if name in scene.bands]
        assets = [*own, *layers, *scene.masks.values()]
        described = [] if scene.described is None else [str(scene.described)]
        return [
            scene.id,
            *described,
            *((self.portable(a.href, given), a.checksum or (a.etag, a.size), a.band, a.offset) for a in assets),
        ]

    def period(self, section: object) -> Period:
        """The period of a product: its own, else the recipe's."""
        own = getattr(section, "period", None)
        period: Period = (own or self.recipe.period).value
        return period

    @property
    def seasons(self) -> Mapping[int, Period]:
        """Label year → the period of its samples; empty if samples show the whole period."""
        seasons = getattr(self.recipe.samples, "seasons", {})
        return {year: seasons[year].value for year in sorted(seasons)}

    @property
    def layout(self) -> Layout:
        """Keys and STAC ids of its corpus."""
        recipe = self.recipe
        names = replace(STAC_NAMES[recipe.scheme], **recipe.stac.names) if recipe.stac.names else None
        return Layout(
            name=recipe.name, version=recipe.version, scheme=recipe.scheme, names=names, codec=recipe.cube_codec
        )

    @property
    def stored(self) -> tuple[str, ...]:
        """How chips are stored, for the keys of units: the layouts, and the codec of cubes if it is not the usual."""
        codec = self.recipe.cube_codec
        return self.recipe.layouts if codec == "zstd" else (*self.recipe.layouts, codec)


@lru_cache(maxsize=1024)
def _relative(folder: str, start: str) -> str:
    """What leads from one folder to files of another, which are many."""
    path = PurePath(relpath(folder, start)).as_posix()
    return "" if path == "." else f"{path}/"
