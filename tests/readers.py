"""Readers of files that others wrote, by name, and a process in which they are called with little memory and time.

A reader that ends its process by a signal, or takes too much, would end the tests: so each call runs in a fork of a
process that has only imported landloom, with 2 GiB of memory and a limit of CPU time.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

ROOT: Final = Path(__file__).parents[1]
MEMORY: Final = 2 * 2**30
"""Bytes that a call may have, beside what the process had before."""
SECONDS: Final = 10
"""CPU time of a call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a reader made of a file."""

    path: Path
    kind: str
    """`answer`, `refused` (by a LandloomError), `raised` (anything else), or `ended` (by a signal)."""
    text: str
    """Of the answer or the error; the name of the signal."""

    @property
    def fault(self) -> str | None:
        """What is wrong with it, if anything."""
        if self.kind in {"raised", "ended"}:
            return f"{self.path.name}: {self.kind}: {self.text}"
        if self.kind == "refused" and not self.text.strip():
            return f"{self.path.name}: refused without a reason"
        return None


class Limited:
    """A process that calls readers in forks of itself."""

    def __enter__(self) -> Self:
        """Start it."""
        path = os.pathsep.join([str(ROOT), str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.readers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End it."""
        self._process.communicate()

    def read(self, reader: str, paths: Sequence[Path], seconds: int = SECONDS) -> list[Result]:
        """Read files one after the other in one fork; after a signal, the rest in another.

        Args:
            reader: name among `READERS`.
            paths: of the files.
            seconds: CPU time of a fork.
        """
        results: list[Result] = []
        while len(results) < len(paths):
            rest = list(paths[len(results) :])
            lines, ended = self._ask({"reader": reader, "paths": [str(path) for path in rest], "seconds": seconds})
            results += [
                Result(path=path, kind=kind, text=text) for path, (kind, text) in zip(rest, lines, strict=False)
            ]
            if ended:
                results.append(Result(path=rest[len(lines)], kind="ended", text=signal.Signals(ended).name))
        return results

    def _ask(self, request: dict[str, Any]) -> tuple[list[tuple[str, str]], int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(request), file=self._process.stdin, flush=True)
        lines, ended = json.loads(self._process.stdout.readline())
        return lines, ended


def _geotiff(path: Path) -> object:
    from landloom.formats.geotiff import decode_geotiff

    return decode_geotiff(path.read_bytes())[1]


def _raster(path: Path) -> object:
    from landloom.model.grid import Grid
    from landloom.store.raster import open_raster
    from landloom.store.window_reads import TileCache, read_open_windows

    with open_raster(str(path), stated=Grid.of_bounds(32633, (500_000, 4_999_900, 500_100, 5_000_000), 10)) as raster:
        window = raster.grid.window(0, 0, min(64, raster.grid.height), min(64, raster.grid.width))
        for band in range(1, min(raster.count, 3) + 1):
            raster.read(window, band=band)
            TileCache().read(raster, window, band=band)
            read_open_windows(raster, [window], band=band)
        return raster.grid


def _vector(path: Path) -> object:
    from landloom.store.vector import read_vector

    return len(read_vector(str(path)))


def _recipe(path: Path) -> object:
    from landloom.pipelines.registry import REGISTRY

    return REGISTRY.open(path).recipe.name


def _classes(path: Path) -> object:
    from landloom.engine.sources.parcels import classes_file

    return classes_file(path)


def _choice(path: Path) -> object:
    from landloom.engine.scenes.choose import read_choice

    return len(read_choice(str(path)).ids)


def _granule_table(path: Path) -> object:
    from landloom.samplers.granules.table import read_granules

    return type(read_granules(str(path))[0]).__name__


def _continents(path: Path) -> object:
    from landloom.model.ids import GranuleId
    from landloom.samplers.granules.features import assigned

    return assigned([GranuleId.parse("33UUP")], str(path), "continent")


def _archive(kind: str) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        import shapely

        from landloom.archive.files.cube import CubeArchive
        from landloom.archive.safe.products import SafeArchive
        from landloom.archive.static import StaticArchive
        from landloom.archive.table import TableArchive
        from landloom.model.sensor import SENTINEL_2_L2A
        from landloom.model.time import Period
        from landloom.store.href_documents import HrefDocuments

        place = path if kind != "safe" or path.is_dir() else path.parent
        opening: dict[str, Callable[[], Any]] = {
            "table": lambda: TableArchive(path),
            "static": lambda: StaticArchive(str(path), HrefDocuments()),
            "safe": lambda: SafeArchive(place),
            "cube": lambda: CubeArchive(path, SENTINEL_2_L2A),
        }
        archive = opening[kind]()
        scenes = archive.search(shapely.box(-180, -90, 180, 90), Period.year(2018))
        return [len(scenes), *map(str, archive.problems)]

    return read


def _product(path: Path) -> object:
    import orjson

    from landloom.archive.orders.odata_products import parse_product

    return parse_product(orjson.loads(path.read_bytes())).id


def _parquet(path: Path) -> object:
    from landloom.formats.parquet import decode_parquet

    return decode_parquet(path.read_bytes()).num_rows


def _model(path: Path) -> object:
    from landloom.labels.guess.model_files import decode_model

    return decode_model(path.read_bytes()).classes


def _index(path: Path) -> object:
    from landloom.query.index.geoparquet import read_index

    return len(read_index(path).ids)


def _resources(path: Path) -> object:
    from landloom.query.index.interchange import find_resources, write_index

    return write_index(find_resources([path]), path.parent / "index").samples


def _journal(path: Path) -> object:
    from landloom.engine.journal import Journal

    with Journal(path) as journal:
        return [len(list(journal.entries())), journal.notes("plan"), journal.get("nothing")]


def _filter(path: Path) -> object:
    from landloom.query.cql2.filter import parse

    return type(parse(path.read_text(encoding="utf-8", errors="surrogateescape"))).__name__


def _web(path: Path) -> object:
    from landloom.store.href_documents import HrefDocuments
    from landloom.store.patience import Patience

    return len(HrefDocuments(Patience(attempts=1)).read(path.read_text(encoding="utf-8")))


def _odata(path: Path) -> object:
    import shapely

    from landloom.archive.orders.odata import ODataProducts, ODataService
    from landloom.model.time import Period
    from landloom.store.patience import Patience

    service = ODataService(catalogue=path.read_text(encoding="utf-8"))
    products = ODataProducts(service, patience=Patience(attempts=1))
    return [len(products.search(shapely.box(0, 0, 1, 1), Period.year(2018))), *map(str, products.problems)]


READERS: Final[dict[str, Callable[[Path], object]]] = {
    "geotiff": _geotiff,
    "raster": _raster,
    "vector": _vector,
    "recipe": _recipe,
    "classes": _classes,
    "choice": _choice,
    "granule table": _granule_table,
    "continents": _continents,
    "stac table": _archive("table"),
    "static": _archive("static"),
    "cube": _archive("cube"),
    "safe": _archive("safe"),
    "product": _product,
    "parquet": _parquet,
    "model": _model,
    "index": _index,
    "resources": _resources,
    "journal": _journal,
    "filter": _filter,
    "web": _web,
    "odata": _odata,
}


def _imports() -> None:
    """Import whatever readers need, so that no fork pays for it."""
    import skops.io  # noqa: F401

    for name in ("geotiff", "raster", "vector", "recipe", "classes", "choice", "granule table", "continents", "static"):
        _result(name, Path("/nowhere/none"))
    for name in ("parquet", "model", "index", "resources", "journal", "filter", "product", "stac table"):
        _result(name, Path("/proc/none/none"))


def _result(reader: str, path: Path) -> tuple[str, str]:
    from landloom.errors import LandloomError

    try:
        return "answer", str(READERS[reader](path))[:2000]
    except LandloomError as error:
        return "refused", str(error)[:2000]
    except BaseException as error:  # noqa: BLE001 - this is what is looked for
        import traceback

        place = traceback.extract_tb(error.__traceback__)[-1]
        return "raised", f"{type(error).__name__}: {str(error)[:200]} at {Path(place.filename).name}:{place.lineno}"


def _limit(seconds: int) -> None:
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(request: dict[str, Any]) -> tuple[list[Any], int]:
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        with os.fdopen(theirs, "w", encoding="utf-8") as out:
            _limit(request["seconds"])
            for path in request["paths"]:
                print(json.dumps(_result(request["reader"], Path(path))), file=out, flush=True)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as found:
        lines = [json.loads(line) for line in found]
    _, status = os.waitpid(child, 0)
    return lines, os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def main() -> None:
    """Answer requests, one a line, until there are no more."""
    out, sys.stdout = sys.stdout, sys.stderr
    _imports()
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
