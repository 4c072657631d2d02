"""Landloom in the races: a unit of work as a build runs it, in a process that is set up as its own commands are."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from landloom.processes import importing, settle

if TYPE_CHECKING:
    from landloom.engine.timesteps import TimestepTask


def unit(found: list[Any], root: str, count: int, out: Path) -> TimestepTask:
    """The unit of work."""
    from benchmarks.race import cells
    from benchmarks.race_archive import BANDS, scenes

    from landloom.corpus.layout import Layout
    from landloom.engine.pixels.masks import PixelMask
    from landloom.engine.timesteps import TimestepTask
    from landloom.model.product import product
    from landloom.model.sample import Sample
    from landloom.model.time import Cadence, Period
    from landloom.products.composite.kind import MedianReducer

    return TimestepTask(
        store=str(out),
        layout=Layout(name="race", version="1.0"),
        layouts=("cubes",),
        products=(product("s2"),),
        reducer=MedianReducer(count=False),
        bands=BANDS,
        mask=PixelMask(),
        resolution=10,
        samples=tuple(Sample.of_utm24(cell) for cell in cells(count)),
        timesteps=Cadence.parse("month").timesteps(Period.parse("2018-01-01", "2018-02-01")),
        scenes=scenes(found, root),
    )


def main(root: str, count: str, out: str, table: str) -> None:
    """Run it, and print the peak MiB."""
    settle()
    with importing():
        from benchmarks.memory import peak_gib

        found = [tuple(one) for one in json.loads(Path(table).read_text(encoding="utf-8"))]
        task = unit(found, root, int(count), Path(out))
    task.run()
    print(peak_gib() * 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
