"""Fixed costs in CPU seconds of all processes: what a worker imports, the demo anew, and the demo with nothing to do.

CPU seconds depend less on what else a machine does than wall time, but not on it alone: take them on a quiet one.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.tree import cpu_seconds

DEMO = (sys.executable, "-m", "landloom.cli", "demo", "--out")
WORKER = "import landloom.pipelines.registry, landloom.engine.run"
COMPILE = (sys.executable, "-m", "landloom.pipelines.demos.compiled")


def run() -> dict[str, float]:
    """CPU seconds, with kernels and modules compiled as `make` does when it installs."""
    with tempfile.TemporaryDirectory() as name:
        modules = {"PYTHONPYCACHEPREFIX": str(Path(name) / "modules"), "PYTHONDONTWRITEBYTECODE": ""}
        installed = modules | {"NUMBA_CACHE_DIR": str(Path(name) / "kernels")}
        compiled = cpu_seconds(COMPILE, installed)
        cold = cpu_seconds([*DEMO, str(Path(name) / "demo")], installed)
        again = median(cpu_seconds([*DEMO, str(Path(name) / "demo")], installed) for _ in range(3))
        imports = median(cpu_seconds([sys.executable, "-c", WORKER], installed) for _ in range(5))
    return {
        "worker_import_cpu": imports,
        "demo_cold_cpu": cold,
        "demo_again_cpu": again,
        "install_compile_cpu": compiled,
    }
