"""The three resource files of a published corpus, which can be queried without our index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceFiles:
    """The three files."""

    geometries: Path
    """GeoJSON, gzip or plain: features with `sample_id` (property or id) and a polygon in WGS84."""
    labels: Path
    """CSV, gzip or plain: `sample_id` and one column of fractions per class."""
    mapping: Path
    """CSV: `index` (name of the column), codes of every level, `class_name`."""

    @classmethod
    def in_folder(cls, folder: Path, name: str) -> ResourceFiles:
        """The files of a corpus by their published names.

        Example:
            >>> from pathlib import Path
            >>> ResourceFiles.in_folder(Path("resources"), "rapidai4eo").mapping.name
            'rapidai4eo_label_mappings.csv'
        """
        return cls(
            geometries=_either(folder / f"{name}_geometries.geojson.gz"),
            labels=_either(folder / f"{name}_labels.csv.gz"),
            mapping=folder / f"{name}_label_mappings.csv",
        )


def _either(path: Path) -> Path:
    """A file under its published name, or without `.gz` where only that is there."""
    plain = path.with_suffix("")
    return plain if plain.is_file() and not path.is_file() else path


def published_files(folder: Path) -> ResourceFiles | None:
    """The three published resource files in a folder, or in its folder `resources/`; None if they are not there.

    Args:
        folder: a local copy of a published corpus, or of its resource files.
    """
    for place in (folder / "resources", folder):
        found = sorted(place.glob("*_geometries.geojson*")) if place.is_dir() else []
        if found:
            return ResourceFiles.in_folder(place, found[0].name.partition("_geometries.geojson")[0])
    return None
