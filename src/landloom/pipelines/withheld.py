"""`landloom evaluate fused RECIPE`: errors of the fused series of a recipe at scenes that are withheld."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.engine.context import build_context
from landloom.engine.executors import inline, submit
from landloom.engine.plan import gather, make_plan
from landloom.engine.run import Silent
from landloom.errors import InvalidInputError
from landloom.pipelines.observations import require_readable
from landloom.pipelines.registry import REGISTRY
from landloom.products.fused.kind import FusedKind
from landloom.products.fused.task import FusedTask
from landloom.products.fused.withheld import HEADER, withheld_rows
from landloom.products.fused.withholding import LEAST, SHARE, Withholding

if TYPE_CHECKING:
    from landloom.engine.executors import Factory
    from landloom.engine.project import Project
    from landloom.engine.run import Listener
    from landloom.model.sample import Sample
    from landloom.products.fused.withheld import WithheldErrors

SAMPLES: Final = 24
"""Samples that are judged by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WithheldReport:
    """The errors of a recipe's fused series."""

    errors: WithheldErrors
    samples: int
    """Samples judged."""
    share: float
    """Share of the overpasses withheld."""
    left_out: dict[str, int]
    """What was left out → in how many samples."""

    @property
    def scenario(self) -> str:
        """What was done, in words."""
        told = self.errors
        return (
            f"{self.share:.0%} of the overpasses of the reference sensor withheld whole, at random, in "
            f"{self.samples} samples; {told.count:,} clear observations compared, whose own noise is part of every "
            f"error; {told.screened:,} not compared that are taken for clouds or shadows, {told.alone:,} of pixels "
            "without another observation; smoothing with its best penalty in hindsight"
        )

    @property
    def table(self) -> tuple[tuple[str, ...], tuple[tuple[object, ...], ...]]:
        """Header and rows of the errors."""
        return HEADER, tuple(withheld_rows(self.errors))

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return self.errors.document() | {"samples": self.samples, "share": self.share, "left_out": self.left_out}


def evaluate_withheld(
    project: Project,
    *,
    samples: int = SAMPLES,
    share: float = SHARE,
    seed: int | None = None,
    factory: Factory = inline,
    listener: Listener | None = None,
) -> WithheldReport:
    """Withhold whole overpasses at random, fill them with every method, and compare.

    Args:
        project: a recipe with a fused series, in its folder.
        samples: number of samples to judge, chosen at random; fewer if there are not as many.
        share: of the overpasses to withhold.
        seed: of both choices; by default the recipe's.
        factory: makes executors.
        listener: receives progress.

    Raises:
        InvalidInputError: the recipe has no fused series, an archive that has to be ordered from, or too few scenes.
        FaultError: the archive is not available.
    """
    shown, seed = listener or Silent(), project.recipe.seed if seed is None else seed
    jobs = _jobs(project, samples, share, seed, shown)
    parts: list[WithheldErrors] = []
    left_out: Counter[str] = Counter()
    shown.started("withholding", len(jobs))
    with factory() as pool:
        waiting = {submit(pool, job.run): job for job in jobs}
        for done in as_completed(waiting):
            errors, broken = done.result()
            left_out.update(f"{scene}: {reason}" for scene, reason in broken.items())
            if errors is None:
                left_out[f"fewer than {LEAST} overpasses"] += 1
            else:
                parts.append(errors)
            shown.advanced(str(waiting[done].sample.id), None)
    if not any(one.count for one in parts):
        raise InvalidInputError(f"got {len(parts)} samples without a clear observation to withhold, expected some")
    total = sum(parts[1:], start=parts[0])
    return WithheldReport(errors=total, samples=len(parts), share=share, left_out=dict(sorted(left_out.items())))


def _jobs(project: Project, samples: int, share: float, seed: int, listener: Listener) -> list[Withholding]:
    requests = [one for one in REGISTRY.requests(project) if isinstance(one.kind, FusedKind)]
    if not requests:
        made = ", ".join(sorted(project.recipe.products))
        raise InvalidInputError(f"got a recipe of {made}, expected one with a fused series")
    if requests[0].section.is_imported:
        raise InvalidInputError(f"{requests[0].path}: is imported; only scenes of a computed series can be withheld")
    wanted = [request.kind.scenes(request) for request in requests]
    require_readable(project, [one.archive for one in wanted if one is not None])
    with TemporaryDirectory() as folder, build_context(Path(folder), listener=listener) as context:
        inputs, problems = gather(project, REGISTRY, context, choose=partial(some_samples, count=samples, seed=seed))
        units = make_plan(project, REGISTRY, inputs, problems).units
    return [
        Withholding(
            first=unit.task.first,
            second=unit.task.second,
            bands=tuple(band.name for band in unit.task.products[0].bands),
            resolution=unit.task.resolution,
            sample=sample,
            share=share,
            seed=seed,
        )
        for unit in units
        if isinstance(unit.task, FusedTask)
        for sample in unit.samples
    ]


def some_samples(samples: tuple[Sample, ...], *, count: int, seed: int) -> tuple[Sample, ...]:
    """Samples chosen at random, in their order."""
    chosen = np.sort(np.random.default_rng([seed, 0xF05E]).permutation(len(samples))[:count])
    return tuple(samples[place] for place in chosen)
