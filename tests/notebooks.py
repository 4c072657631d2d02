"""Running a notebook of the documentation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
NOTEBOOKS: Final = sorted((ROOT / "docs/notebooks").glob("*.ipynb"))
_RUNNER: Final = """
import json, sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt
drawn = []
plt.show = lambda: (drawn.append(len(plt.get_fignums())), plt.close("all"))
space = {"__name__": "__main__"}
for number, cell in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))["cells"]):
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), f"cell {number}", "exec"), space)
print("figures:", sum(drawn))
"""


def execute(name: str, corpus: Path, folder: Path) -> str:
    """Run the code cells of a notebook one after the other in a process of its own; what they print."""
    notebook = next(path for path in NOTEBOOKS if path.name.startswith(name))
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", _RUNNER, str(notebook)],
        cwd=folder,
        env={**os.environ, "LANDLOOM_CORPUS": str(corpus)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
