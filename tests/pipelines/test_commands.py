"""Groups of commands that kinds and samplers bring: mounted from one list, and quick to import."""

from __future__ import annotations

import subprocess
import sys

import typer

from landloom.pipelines.commands import GROUPS, command_groups


def test_every_group_registers_commands_with_help_and_an_example() -> None:
    groups = command_groups()
    assert [group.__name__ for group in groups[: len(GROUPS)]] == list(GROUPS)
    for group in groups:
        app = typer.Typer()
        group.register(app)
        command = typer.main.get_command(app)
        found = list(getattr(command, "commands", {"": command}).values())
        assert found
        for one in found:
            assert one.help
            for leaf in getattr(one, "commands", {}).values():
                assert leaf.help
                assert leaf.epilog.startswith("Example: landloom ")


def test_listing_them_loads_nothing_heavy() -> None:
    heavy = "{'numpy', 'shapely', 'rasterio', 'pandas', 'pyarrow', 'numba', 'pydantic', 'matplotlib', 'sklearn'}"
    code = (
        "import sys; from landloom.pipelines.commands import command_groups; command_groups();"
        f"print(sorted(m for m in sys.modules if m.split('.')[0] in {heavy}))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
