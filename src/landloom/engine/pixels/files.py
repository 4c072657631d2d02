"""The open files of one scene: opened on first use, or ahead of it where they are read over the network."""

from __future__ import annotations

from contextlib import ExitStack
from contextvars import copy_context
from typing import TYPE_CHECKING

from landloom.engine.pixels.masks import named_files
from landloom.model.address import is_remote
from landloom.store.raster import open_raster
from landloom.store.rasters.fetching import fetcher

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from landloom.model.scene import Scene, SceneFile
    from landloom.store.raster import RasterFile


class OpenFiles:
    """Files of a scene by name.

    Args:
        scene: whose files they are.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stack = ExitStack()
        self._files: dict[str, RasterFile] = {}
        self._ahead: dict[str, Future[tuple[AbstractContextManager[RasterFile], RasterFile]]] = {}
        self.signed: dict[str, str] = {}
        """Signed address → address as the archive gives it."""

    def open(self, name: str, asset: SceneFile) -> RasterFile:
        """An open file; faults as of `landloom.store.raster.open_raster`."""
        if name not in self._files:
            future = self._ahead.pop(name, None)
            context, file = self._opened(asset) if future is None else future.result()
            self._stack.push(context)
            self._files[name] = file
        return self._files[name]

    def ahead(self, names: Iterable[str]) -> None:
        """Begin to open files over the network; faults are raised where they are used."""
        files = named_files(self._scene)
        for name in names:
            asset = files.get(name)
            if asset is not None and is_remote(asset.href) and name not in self._files and name not in self._ahead:
                self._ahead[name] = fetcher().pool.submit(copy_context().run, self._opened, asset)

    def release(self) -> None:
        """Close them; they are opened again on the next use."""
        for future in self._ahead.values():
            if not future.cancel() and future.exception() is None:
                self._stack.push(future.result()[0])
        self._ahead.clear()
        self._stack.close()
        self._files.clear()

    def unsigned(self, text: str) -> str:
        """A message without signatures."""
        for address, href in self.signed.items():
            text = text.replace(address, href).replace(address.partition("?")[2], "…")
        return text

    def _opened(self, asset: SceneFile) -> tuple[AbstractContextManager[RasterFile], RasterFile]:
        """An open file, and what closes it."""
        address = asset.href if asset.signing is None else asset.signing.signed(asset.href)
        if address != asset.href:
            self.signed[address] = asset.href
        context = open_raster(address, stated=asset.grid, document=self._scene.found_at or self._scene.href)
        return context, context.__enter__()
