"""Importing labels: exact grids, points in their pixels, rejects by file and row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from landloom.annotate.ledger.accounts.users import user
from landloom.annotate.ledger.answers import answered_tasks
from landloom.annotate.ledger.database import open_ledger
from landloom.annotate.tasks.values import CampaignSettings
from landloom.errors import CorpusError, InvalidInputError
from landloom.formats.geotiff import encode_geotiff
from landloom.model.grid import Grid
from landloom.pipelines.annotation.campaign import CampaignOptions, init_campaign
from landloom.pipelines.annotation.folder import open_folder
from landloom.pipelines.annotation.labelled import ImportOptions, import_labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chips import World
    from tests.conftest import Ran

    from landloom.annotate.ledger.values import AnsweredTask
    from landloom.pipelines.annotation.series import SeriesSource

CHIP = "32UPA_00"


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """A campaign with tasks of 20 × 20 pixels."""
    settings = CampaignSettings(task_size=20, context=40, reference_share=0, blind_share=0, planted_share=0)
    init_campaign(str(world.folder), tmp_path / "annotation", settings)
    return tmp_path / "annotation"


def write_raster(path: Path, grid: Grid, labels: np.ndarray, nodata: float | None = 0) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_geotiff(labels[None], grid, nodata=nodata))
    return str(path)


def answers(folder: Path) -> list[AnsweredTask]:
    """Every task that anybody answered."""
    there = open_folder(folder)
    with open_ledger(there.database) as ledger:
        tasks = answered_tasks(ledger, there.name, unanswered=True)
        return [task for task in tasks if task.answers or task.reference]


def drawn(folder: Path, chip: str, annotator: str) -> np.ndarray:
    """(y, x) labels of one person in a chip."""
    there = open_folder(folder)
    with open_ledger(there.database) as ledger:
        pseudonym = user(ledger, annotator).pseudonym
    result = np.zeros((60, 60), np.uint8)
    for task in answers(folder):
        for one in task.answers:
            if (task.window.chip, one.annotator) == (chip, pseudonym):
                labels = np.frombuffer(one.labels, np.uint8).reshape(20, 20)
                result[task.window.row :, task.window.column :][:20, :20] = labels
    return result


def test_rasters_on_the_pixels_of_a_chip(world: World, source: SeriesSource, folder: Path, tmp_path: Path) -> None:
    truth = world.truth[CHIP].copy()
    truth[:20, :20] = 0
    files = [
        write_raster(tmp_path / who / "any.tif", source.grid(CHIP), labels)
        for who, labels in (("ann", truth), ("bob", world.guess[CHIP].astype(np.uint16)))
    ]
    done = import_labels(folder, files)
    assert (done.annotators, done.tasks, done.rejected) == (("ann", "bob"), 9, ())
    assert done.pixels == 3600 + 3200
    np.testing.assert_array_equal(drawn(folder, CHIP, "ann"), truth)
    np.testing.assert_array_equal(drawn(folder, CHIP, "bob"), world.guess[CHIP])


def test_a_raster_of_two_neighbouring_chips(world: World, source: SeriesSource, folder: Path, tmp_path: Path) -> None:
    first, second = source.grid("32UPA_00"), source.grid("32UPA_01")
    assert second.west == first.east
    both = np.hstack([world.truth["32UPA_00"], world.truth["32UPA_01"]])
    done = import_labels(folder, [write_raster(tmp_path / "ann" / "a.tif", first.window(0, 0, 60, 120), both)])
    assert done.tasks == 18
    np.testing.assert_array_equal(drawn(folder, "32UPA_01", "ann"), world.truth["32UPA_01"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"west": 5.0}, "expected exactly the pixels of a chip"),
        ({"epsg": 32633}, "got a raster of EPSG:32633"),
        ({"resolution": 20.0}, "at 20.0 m, expected exactly the pixels of a chip"),
        ({"value": 9}, r"got values \[9\], expected classes of the campaign"),
        ({"dtype": np.float32}, "got pixels of type float32, expected whole numbers"),
    ],
)
def test_other_rasters_are_refused_by_name(
    source: SeriesSource, folder: Path, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    grid = source.grid(CHIP)
    size = 60 if "resolution" not in change else 30
    moved = Grid(
        epsg=int(str(change.get("epsg", grid.epsg))),
        west=grid.west + float(str(change.get("west", 0))),
        north=grid.north,
        pixel_width=float(str(change.get("resolution", 10))),
        pixel_height=float(str(change.get("resolution", 10))),
        width=size,
        height=size,
    )
    labels = np.full((size, size), change.get("value", 1), change.get("dtype", np.uint8))  # type: ignore[call-overload]
    good = write_raster(tmp_path / "ann" / "good.tif", grid, np.ones((60, 60), np.uint8))
    bad = write_raster(tmp_path / "ann" / "bad.tif", moved, labels)
    with pytest.raises(InvalidInputError, match=message):
        import_labels(folder, [good, bad])
    assert answers(folder) == []
    done = import_labels(folder, [good, bad], ImportOptions(skip_invalid=True))
    assert (done.pixels, len(done.rejected)) == (3600, 1)
    assert "bad.tif" in done.rejected[0]


def test_labels_outside_whole_chips_are_counted(source: SeriesSource, folder: Path, tmp_path: Path) -> None:
    grid = source.grid(CHIP)
    wide = write_raster(tmp_path / "ann" / "wide.tif", grid.window(-3, 0, 63, 60), np.ones((63, 60), np.uint8))
    with pytest.raises(InvalidInputError, match=r"wide\.tif: got 180 labelled pixels in no chip"):
        import_labels(folder, [wide])
    done = import_labels(folder, [wide], ImportOptions(skip_invalid=True))
    assert (done.pixels, len(done.rejected)) == (3600, 1)


def test_a_second_class_in_another_file_is_refused(source: SeriesSource, folder: Path, tmp_path: Path) -> None:
    first, second = (
        write_raster(tmp_path / str(value) / "a.tif", source.grid(CHIP), np.full((60, 60), value, np.uint8))
        for value in (1, 5)
    )
    table = tmp_path / "points.csv"
    table.write_text(f"chip,row,column,class\n{CHIP},0,0,5\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match=f"got a second class for 3,600 pixels of {CHIP} by ann"):
        import_labels(folder, [first, second], ImportOptions(annotator="ann"))
    with pytest.raises(InvalidInputError, match=r"points\.csv, row 1: got a second class for row 0, column 0"):
        import_labels(folder, [first, str(table)], ImportOptions(annotator="ann"))


def test_further_bands_are_noted(source: SeriesSource, folder: Path, tmp_path: Path) -> None:
    bands = np.stack([np.ones((60, 60), np.uint8), np.full((60, 60), 99, np.uint8)])
    path = tmp_path / "ann" / "a.tif"
    path.parent.mkdir()
    path.write_bytes(encode_geotiff(bands, source.grid(CHIP), nodata=0))
    done = import_labels(folder, [str(path)])
    assert (done.pixels, done.notes) == (3600, ("a.tif: band 1 of 2 is read",))


def test_a_row_without_its_annotator_or_place_is_refused(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"chip,row,column,class,annotator\n{CHIP},0,0,1,\n,0,0,1,ann\n", encoding="utf-8")
    with pytest.raises(InvalidInputError) as caught:
        import_labels(folder, [str(path)])
    assert "row 1: got the name ''" in str(caught.value)
    assert "row 2: no sample ''" in str(caught.value)


def test_columns_that_are_not_there_are_refused(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(f"chip,row,column,class\n{CHIP},0,0,1\n", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="expected annotator, too"):
        import_labels(folder, [str(path)], ImportOptions(columns={"annotator": "who"}))
    with pytest.raises(InvalidInputError, match="got a column for longitude, expected lon, lat"):
        ImportOptions(columns={"longitude": "x"})


def test_what_is_no_raster_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"II*\0nonsense")
    with pytest.raises(InvalidInputError, match=r"a\.tif"):
        import_labels(folder, [str(tmp_path / "a.tif"), str(tmp_path / "missing.tif")])


def test_points_by_name_key_and_code(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(
        "chip,row,column,class,annotator\n"
        f"{CHIP},0,0,Water,ann\n{CHIP},0,1,5,ann\n{CHIP},59,59,water,bob\n{CHIP},0,0,Water,ann\n",
        encoding="utf-8",
    )
    done = import_labels(folder, [str(path)])
    assert (done.annotators, done.tasks, done.pixels) == (("ann", "bob"), 2, 3)
    assert drawn(folder, CHIP, "ann")[0, :3].tolist() == [1, 5, 0]
    assert drawn(folder, CHIP, "bob")[59, 59] == 1


def test_rejected_rows_are_named(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text(
        f"chip,row,column,class\n{CHIP},0,0,Water\n{CHIP},0,0,5\n{CHIP},99,0,Water\n{CHIP},1,1,Sea\nX,1,1,Water\n",
        encoding="utf-8",
    )
    with pytest.raises(InvalidInputError) as caught:
        import_labels(folder, [str(path)])
    text = str(caught.value)
    assert "nothing was imported" in text
    assert f"points.csv, row 2: got a second class for row 0, column 0 of {CHIP} by points" in text
    assert "points.csv, row 3: got row '99'" in text
    assert "points.csv, row 4: got class 'Sea'" in text
    assert "points.csv, row 5: no sample 'X'" in text
    done = import_labels(folder, [str(path)], ImportOptions(skip_invalid=True, annotator="cy"))
    assert (done.annotators, done.pixels, len(done.rejected)) == (("cy",), 1, 4)


def test_columns_and_values_of_other_tools(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "set-1.csv"
    path.write_text(f"plot,row,column,Crop/ or not\n{CHIP},0,0,Cropland\n{CHIP},0,1,Non-crop\n", encoding="utf-8")
    options = ImportOptions(
        columns={"chip": "plot", "class": "Crop/ or not"},
        classes={"Cropland": "Cultivated Vegetation", "Non-crop": "7"},
        reference=True,
    )
    import_labels(folder, [str(path)], options)
    (task,) = answers(folder)
    assert task.reference is not None
    assert (task.kind.value, list(task.reference[:3]), task.answers) == ("reference", [6, 7, 0], ())


def test_the_command_says_what_was_imported_and_left_out(folder: Path, tmp_path: Path, run: Callable[..., Ran]) -> None:
    path = tmp_path / "ann.csv"
    path.write_text(f"id,row,column,class\n{CHIP},0,0,Water\n{CHIP},0,1,Sea\n", encoding="utf-8")
    words = ["annotate", "import", path, "--campaign", folder, "--column", "chip=id"]
    assert "row 2: got class 'Sea'" in run(*words).err
    ran = run(*words, "--translate", "Sea=Water")
    assert ran.out == f"{folder}: 2 labels of 1 annotator (ann) in 1 task\n"
    assert run(*words, "--translate", "Sea=Water").out.endswith("nothing new: the ledger holds them already\n")
    assert "has another answer here" in run(*words, "--skip-invalid").err
    ran = run(*words, "--skip-invalid", "--annotator", "bob")
    assert ran.code == 0
    assert "left out: ann.csv, row 2" in ran.err
    assert "expected VALUE=CLASS" in run(*words, "--translate", "Sea").err


def test_there_must_be_a_campaign_and_a_label(folder: Path, source: SeriesSource, tmp_path: Path) -> None:
    empty = write_raster(tmp_path / "ann" / "a.tif", source.grid(CHIP), np.zeros((60, 60), np.uint8))
    with pytest.raises(InvalidInputError, match="got 1 file without any label"):
        import_labels(folder, [empty])
    with pytest.raises(CorpusError, match=r"got no campaign\.json"):
        import_labels(tmp_path / "nowhere", [empty])


def test_labels_of_other_chips_and_references_of_tasks_with_another_guess_are_left(
    world: World, source: SeriesSource, tmp_path: Path
) -> None:
    folder = tmp_path / "annotation"
    settings = CampaignSettings(task_size=20, context=40, reference_share=0, blind_share=0.5, planted_share=0)
    init_campaign(str(world.folder), folder, settings, CampaignOptions(where="stratum = '32UPA'"))
    files = [
        write_raster(tmp_path / "eve" / f"{chip}.tif", source.grid(chip), world.truth[chip])
        for chip in ("32UPA_00", "32UPA_01", "33UUR_00")
    ]
    with pytest.raises(InvalidInputError, match="33UUR_00 by eve and 8 more: is no chip of the campaign"):
        import_labels(folder, files)
    done = import_labels(folder, files, ImportOptions(reference=True, skip_invalid=True))
    assert (done.tasks, len(done.rejected)) == (9, 9 + 9)
    assert all(task.kind.value == "reference" for task in answers(folder))
