"""Published resource files are found in a corpus and in their own folder, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from landloom.query.index.resource_files import ResourceFiles, published_files

if TYPE_CHECKING:
    from pathlib import Path


def test_files_are_found_by_their_published_names(tmp_path: Path) -> None:
    assert published_files(tmp_path) is None
    assert published_files(tmp_path / "absent") is None
    folder = tmp_path / "resources"
    folder.mkdir()
    (folder / "demo_geometries.geojson.gz").touch()
    wanted = ResourceFiles(
        geometries=folder / "demo_geometries.geojson.gz",
        labels=folder / "demo_labels.csv.gz",
        mapping=folder / "demo_label_mappings.csv",
    )
    assert published_files(tmp_path) == published_files(folder) == wanted
