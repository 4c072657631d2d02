"""The recipes shipped with landloom, to copy and change."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from landloom.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path


def starters() -> list[str]:
    """Names of the recipes shipped with landloom.

    Example:
        >>> "deepsatdata" in starters()
        True
    """
    folder = files("landloom.pipelines") / "recipes"
    return sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def write_starter(name: str, target: Path) -> None:
    """Copy a shipped recipe to a file.

    Raises:
        NotFoundError: no recipe by that name.
        InvalidInputError: the file already exists.
    """
    if name not in starters():
        raise NotFoundError.of("recipe", name, starters())
    if target.exists():
        raise InvalidInputError(f"{target} already exists; choose another file, or remove it")
    target.parent.mkdir(parents=True, exist_ok=True)
    text = (files("landloom.pipelines") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    target.write_text(text, encoding="utf-8")
