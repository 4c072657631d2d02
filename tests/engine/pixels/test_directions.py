"""Scenes seen at different angles: brought to nadir they agree, and what was done, or not done, is recorded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.engine.pixels.test_registration import SAMPLES
from tests.engine.small_scenes import AREA, write_scene
from tests.engine.test_timesteps import LAYOUT
from tests.formats.safe.test_angles import grid as angle_grid
from tests.products.fused.test_aligning import BANDS, QUALITY, SERIES

from landloom.engine.pixels.directions import ALREADY, angles_identity
from landloom.engine.pixels.masks import PixelMask
from landloom.engine.pixels.reading import SceneReader
from landloom.errors import InvalidInputError
from landloom.formats.safe.directions import parse_angles
from landloom.imagery.harmonise.directions import PUBLISHED, Parameters, modelled
from landloom.model.scene import Angles, Direction, SceneFile
from landloom.model.sensor import SENTINEL2
from landloom.model.time import Cadence, Period
from landloom.products.fused.sightings import Source
from landloom.products.fused.task import FusedTask

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.corpus.lineage import NadirRecord
    from landloom.model.scene import Scene

SUN, SUN_AZIMUTH = 40.0, 150.0
VIEWS = {"east": (9.0, 110.0), "west": (6.0, 290.0)}
"""Zenith and azimuth."""


def angles(view: float, azimuth: float) -> Angles:
    def over(value: float) -> NDArray[np.float64]:
        return np.full((23, 23), value)

    seen = Direction(zenith=over(view), azimuth=over(azimuth))
    sun = Direction(zenith=over(SUN), azimuth=over(SUN_AZIMUTH))
    return Angles(west=AREA.west, north=AREA.north, step=5_000, sun=sun, view=dict.fromkeys(BANDS, seen))


def ground(band: str) -> NDArray[np.float64]:
    """Reflectance from nadir under the sun at 45°, in stored numbers."""
    return np.random.default_rng(list(SENTINEL2).index(band)).uniform(600, 3_500, AREA.shape)


def seen(band: str, view: float, azimuth: float) -> NDArray[np.uint16]:
    """What the ground shows at some angle; its kernels are up to 40 % stronger or weaker than the published ones."""
    rng = np.random.default_rng(99)
    strength = rng.uniform(0.6, 1.4, (2, *AREA.shape))
    whole = PUBLISHED[SENTINEL2[band].common_name or ""]
    own = Parameters(whole.isotropic, whole.volumetric * strength[0], whole.geometric * strength[1])
    here, nadir = (
        modelled(own, *(np.array(one) for one in place))
        for place in ((SUN, view, SUN_AZIMUTH - azimuth), (45.0, 0.0, 0.0))
    )
    return np.rint(ground(band) * here / nadir).astype(np.uint16)


def scene(folder: Path, name: str, **rest: Any) -> Scene:
    files = {band: seen(band, *VIEWS[name.partition("-")[0]]) for band in BANDS} | {
        "SCL": np.full((120, 120), 4, np.uint8)
    }
    return write_scene(folder, files, name=name, **rest).scene


def read(one: Scene, to_sun: float | None) -> tuple[NDArray[np.uint16], NadirRecord | None]:
    with SceneReader(one, bands=BANDS, mask=PixelMask(), to_sun=to_sun) as reader:
        bands = [reader.band(band, AREA) for band in BANDS]
        found = np.stack([band for band in bands if band is not None])
        return found, None if reader.directions is None else reader.directions.record()


def test_scenes_of_one_day_differ_less_from_nadir(tmp_path: Path) -> None:
    scenes = [scene(tmp_path, name, angles=angles(*view)) for name, view in VIEWS.items()]
    truth = np.stack([ground(band) for band in BANDS])
    as_seen, nadir = ([read(one, to_sun)[0].astype(float) for one in scenes] for to_sun in (None, 45.0))
    apart = [np.abs(one[0] - one[1]).mean(axis=(1, 2)) for one in (as_seen, nadir)]
    off = [np.abs(one[0] - truth).mean(axis=(1, 2)) for one in (as_seen, nadir)]
    assert (apart[1] < 0.45 * apart[0]).all(), "the same day"
    assert (off[1] < 0.6 * off[0]).all(), "the truth"


def test_angles_and_factors_are_recorded(tmp_path: Path) -> None:
    _, record = read(scene(tmp_path, "east", angles=angles(*VIEWS["east"])), 45.0)
    assert record is not None
    assert (record.sun, record.view, record.absent) == (SUN, 9.0, None)
    assert set(record.factors or {}) == set(BANDS)
    assert read(scene(tmp_path, "east"), None)[1] is None


def _document(**places: str) -> bytes:
    corner = f"<Geoposition resolution='10'><ULX>{AREA.west}</ULX><ULY>{AREA.north}</ULY></Geoposition>"
    body = places.get("corner", corner)
    nodes = "/".join([" ".join(["{}"] * 23)] * 23)
    zenith, azimuth = nodes.replace("{}", str(SUN)), nodes.replace("{}", str(SUN_AZIMUTH))
    body += angle_grid("Sun_Angles_Grid", zenith, azimuth)
    for number, name in enumerate(SENTINEL2):
        if name in BANDS:
            seen = [nodes.replace("{}", str(one)) for one in VIEWS["east"]]
            who = f" bandId='{number}' detectorId='1'"
            body += angle_grid("Viewing_Incidence_Angles_Grids", seen[0], seen[1], more=who)
    return f"<n:T xmlns:n='u'>{body}</n:T>".encode()


def test_angles_of_a_document_beside_the_bands_serve_as_well(tmp_path: Path) -> None:
    (tmp_path / "MTD_TL.xml").write_bytes(_document())
    there = SceneFile(href=str(tmp_path / "MTD_TL.xml"), size=7)
    one, other = scene(tmp_path, "east", angles=angles(*VIEWS["east"])), scene(tmp_path, "east", angles_at=there)
    np.testing.assert_array_equal(read(one, 45.0)[0], read(other, 45.0)[0])
    assert read(one, 45.0)[1] == read(other, 45.0)[1]
    assert angles_identity(other) == ["7"]
    assert angles_identity(one) != angles_identity(scene(tmp_path, "east", angles=angles(*VIEWS["west"])))


@pytest.mark.parametrize(
    ("document", "rest", "what"),
    [
        (None, {}, "no angles: the metadata of the granule is missing"),
        (b"<a", {}, "no angles: "),
        (_document(corner=""), {}, "no angles: metadata of the granule: got no corner"),
        ("", {}, "no angles"),
        ("", {"sensor": "hls-s30"}, ALREADY),
        ("", {"sensor": "hls-s30", "angles": angles(9.0, 110.0)}, ALREADY),
    ],
)
def test_scenes_without_angles_or_already_at_nadir_stay_as_they_are(
    document: bytes | str | None, rest: dict[str, Any], what: str, tmp_path: Path
) -> None:
    if isinstance(document, bytes):
        (tmp_path / "MTD_TL.xml").write_bytes(document)
    there = {} if document == "" else {"angles_at": SceneFile(href=str(tmp_path / "MTD_TL.xml"))}
    one = scene(tmp_path, "east", **there, **rest)
    numbers, record = read(one, 45.0)
    assert record is not None
    assert (record.absent or "").startswith(what)
    np.testing.assert_array_equal(numbers, read(one, None)[0])


def test_other_documents_have_no_angles() -> None:
    corner = "<Geoposition resolution='10'><ULX>1</ULX><ULY>2</ULY></Geoposition>"
    assert parse_angles("a.xml", f"<a>{corner}</a>".encode()) is None
    odd = angle_grid("Sun_Angles_Grid", "1 x", "1 2")
    with pytest.raises(InvalidInputError, match="Zenith is not a grid"):
        parse_angles("a.xml", f"<a>{corner}{odd}</a>".encode())


def test_fused_series_record_how_their_scenes_were_brought_to_nadir(tmp_path: Path) -> None:
    start, passes = datetime(2018, 6, 1, 10, tzinfo=UTC), []
    for n, name in enumerate(["east", "west", "east", "west"]):
        given = angles(*VIEWS[name]) if n else None
        passes.append((scene(tmp_path, f"{name}-{n}", time=start + timedelta(days=5 * n), angles=given),))
    source = Source(bands=BANDS, mask=PixelMask(), passes=tuple(passes), footprint=1, to_sun=45.0)
    outcome = FusedTask(
        store=str(tmp_path / "corpus"),
        layout=LAYOUT,
        layouts=("chips",),
        products=(SERIES, QUALITY),
        first=source,
        second=None,
        resolution=10.0,
        samples=SAMPLES[:1],
        timesteps=Cadence.parse("5 days").timesteps(Period.parse("2018-06-01", "2018-06-21")),
    ).run()
    assert outcome.lineage is not None
    records = [one.nadir for step in outcome.lineage.timesteps for one in step.scenes]
    assert [one is not None and one.absent for one in records] == ["no angles", None, None, None]
    assert any(note.what == "scenes not brought to nadir: no angles" for note in outcome.notes)
