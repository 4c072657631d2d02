"""A remote server in a process of its own: `python -m landloom.simulate.remote.serving SPEC`.

So what it costs is not counted for whoever reads from it. It prints its address, and ends with its standard input.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import ProxyHandler, Request, build_opener

from landloom.errors import InvalidInputError
from landloom.simulate.remote.behaviour import Behaviour
from landloom.simulate.remote.blocks import SIDE, classification_blocks, reflectance_blocks
from landloom.simulate.remote.content import FolderContent
from landloom.simulate.remote.sentinel2 import Sentinel2Content
from landloom.simulate.remote.server import BEHAVIOUR, TALLY, RemoteServer
from landloom.simulate.remote.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from landloom.simulate.remote.content import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server in another process."""

    address: str

    def behave(self, behaviour: Behaviour) -> None:
        """Have it behave so from now on, and count anew."""
        _called(Request(self.address + BEHAVIOUR, json.dumps(behaviour.document()).encode()))  # noqa: S310 - loopback

    def tally(self) -> Tally:
        """What it was asked for since it last changed its behaviour."""
        return Tally.parse(_called(Request(self.address + TALLY)))  # noqa: S310


def _called(request: Request) -> dict[str, Any]:
    with build_opener(ProxyHandler({})).open(request) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


@contextmanager
def served(behaviour: Behaviour, *, folder: Path | None = None, seed: int = 0, side: int = SIDE) -> Iterator[Served]:
    """Serve the Sentinel-2 archive, or a folder, until the block ends.

    Args:
        behaviour: of the server.
        folder: what it serves instead of the archive.
        seed: of the archive.
        side: of the blocks of its files, in pixels.

    Raises:
        InvalidInputError: the server does not start.
    """
    spec = {
        "behaviour": behaviour.document(),
        "folder": None if folder is None else str(folder),
        "seed": seed,
        "side": side,
    }
    command = [sys.executable, "-m", "landloom.simulate.remote.serving", json.dumps(spec)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        try:
            address = "" if process.stdout is None else process.stdout.readline().strip()
            if not address:
                raise InvalidInputError("the server of the synthetic archive did not start")
            yield Served(address=address)
        finally:
            process.kill()


def main(spec: str) -> None:
    """Serve until standard input ends."""
    told = json.loads(spec)
    if told["folder"] is None:
        content: Content = Sentinel2Content(told["seed"], told["side"])
        reflectance_blocks(told["side"]), classification_blocks(told["side"])  # before anybody waits for them
    else:
        content = FolderContent(Path(told["folder"]))
    with RemoteServer(content, Behaviour.parse(told["behaviour"])) as server:
        sys.stdout.write(f"{server.address}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
