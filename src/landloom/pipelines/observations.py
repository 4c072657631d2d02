"""Real observations of one pixel of a finished corpus, read again from the archives of its recipe."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.archive.open import archive_kinds
from landloom.engine.context import build_context
from landloom.engine.kinds import PlanInputs
from landloom.engine.placement import Placement
from landloom.engine.scenes.archives import Archives
from landloom.errors import InvalidInputError
from landloom.model.ids import parse_sample_id
from landloom.model.sample import Sample
from landloom.model.sensor import REFLECTANCE_SCALE
from landloom.pipelines.registry import REGISTRY
from landloom.products.fused.task import FusedTask
from landloom.products.fused.withholding import read_window
from landloom.query.pixel_figure import Observations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from landloom.engine.kinds import ProductRequest
    from landloom.engine.project import Project
    from landloom.products.fused.sightings import Source
    from landloom.query.pixel_series import PixelSeries

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def read_observations(recipe: str | Path, series: PixelSeries) -> Observations:
    """Read the scenes behind a pixel again, those of a second sensor as it measured them.

    Args:
        recipe: recipe file of the corpus, or its folder.
        series: of the pixel.

    Raises:
        RecipeError: the recipe has problems.
        InvalidInputError: it makes no such series, its archive has to be ordered from, or has no scene of the place.
        FaultError: the archive is not available.
    """
    project = REGISTRY.open(recipe)
    task = _task(project, _request(project, series), series)
    sources = [one for one in (task.first, task.second) if one is not None]
    parts = [_read(source, series) for source in sources]
    if not any(times.size for times, *_ in parts):
        raise InvalidInputError(f"{recipe}: its archive has no scene of {series.sample}; is it the corpus's recipe?")
    days, values, clear = (np.concatenate([one[n] for one in parts]) for n in range(3))
    names = [name for one in parts for name in one[3]]
    second = np.repeat(np.arange(len(parts)), [one[0].size for one in parts]) > 0
    order = np.argsort(days, kind="stable")
    return Observations(
        times=tuple(_EPOCH + timedelta(days=float(days[n])) for n in order),
        scenes=tuple(names[n] for n in order),
        values=values[order],
        clear=clear[order],
        second=second[order],
    )


def require_readable(project: Project, archives: Iterable[str]) -> None:
    """Refuse archives whose products a build orders and downloads first.

    Raises:
        InvalidInputError: names the archive.
    """
    for name in archives:
        if archive_kinds()[project.recipe.named_archives()[name].kind].fetched:
            raise InvalidInputError(f"archive {name}: its products are ordered and downloaded, by a build alone")


def _request(project: Project, series: PixelSeries) -> ProductRequest[Any]:
    for request in REGISTRY.requests(project):
        if request.key == series.product:
            return request
    made = ", ".join(sorted(project.recipe.products))
    raise InvalidInputError(f"got the series {series.product}, expected one that the recipe makes: {made}")


def _task(project: Project, request: ProductRequest[Any], series: PixelSeries) -> FusedTask:
    """The work of a tile that is the pixel alone."""
    place = series.place
    sample = Sample(id=parse_sample_id(project.layout.scheme, series.sample), epsg=place.epsg, bounds=place.bounds)
    wanted = request.kind.scenes(request)
    asked = {} if wanted is None else {request.path: wanted}
    asked |= {f"{request.path}.{name}": one for name, one in request.kind.more_scenes(request).items()}
    require_readable(project, [one.archive for one in asked.values()])
    with TemporaryDirectory() as folder, build_context(Path(folder)) as context:
        archives = Archives(project, context)
        outline = {sample.tile: sample.footprint}
        scenes = {path: archives.search(one.archive, outline, one.period) for path, one in asked.items()}
        inputs = PlanInputs(
            placement=Placement(samples=(sample,)),
            tiles={sample.tile: (sample,)},
            scenes=scenes,
            identities={},
            store=context.uri,
            layout=project.layout,
        )
        (unit,) = request.kind.units(request, inputs)
    if not isinstance(unit.task, FusedTask):
        raise InvalidInputError(
            f"got the series {series.product}, expected a fused one: of others nothing is read again"
        )
    return unit.task


def _read(
    source: Source, series: PixelSeries
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_], Sequence[str]]:
    """Days, (time, band) values, whether they are clear, and ids of scenes."""
    read = read_window(source, series.place)
    stored, clear = read.sightings.stack[:, :, 0, 0], read.sightings.valid[:, 0, 0]
    values = np.where(stored == 0, np.nan, stored / REFLECTANCE_SCALE)
    names = ["+".join(scene.id for scene in group) for group in read.source.passes]
    return read.sightings.days, values, clear, names
