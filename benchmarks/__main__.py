"""`python -m benchmarks [TOPIC …]`: measure every bar, print the table, write out/bench.json.

A topic is the end of a module's name: `imagery` runs `bench_imagery` alone. A bar that no module measured counts as
short, unless topics were named.
"""

from __future__ import annotations

import json
import sys
import tomllib
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]


def measure(topics: list[str]) -> dict[str, float]:
    """Run the modules, one after the other, in this process."""
    found: dict[str, float] = {}
    for path in sorted((ROOT / "benchmarks").glob("bench_*.py")):
        topic = path.stem.removeprefix("bench_")
        if topics and topic not in topics:
            continue
        sys.stderr.write(f"{topic} …\n")
        found |= import_module(f"benchmarks.{path.stem}").run()
    return found


def judge(found: dict[str, float], bars: dict[str, dict[str, object]], *, whole: bool) -> list[dict[str, object]]:
    """A row for each bar: its value, its limit, and whether it holds."""
    rows: list[dict[str, object]] = []
    for name, bar in sorted(bars.items()):
        value, limit = found.get(name), float(str(bar["limit"]))
        if value is None and not whole:
            continue
        at_least = bar["sense"] == "at least"
        holds = value is not None and (value >= limit if at_least else value <= limit)
        rows.append(
            {"name": name, "ratio": value, "limit": limit, "sense": bar["sense"], "holds": holds, "what": bar["what"]}
        )
    return rows


def main(topics: list[str]) -> int:
    """Measure, print, write; 1 if a bar is missed."""
    bars = tomllib.loads((ROOT / "benchmarks" / "bars.toml").read_text(encoding="utf-8"))
    found = measure(topics)
    rows = judge(found, bars, whole=not topics)
    print(f"{'bar':<24}{'measured':>10}  {'limit':>16}  holds  what")
    for row in rows:
        value = "missing" if row["ratio"] is None else f"{row['ratio']:.3g}"
        limit = f"{row['sense']} {row['limit']:g}"
        print(f"{row['name']:<24}{value:>10}  {limit:>16}  {'yes' if row['holds'] else 'NO':<5}  {row['what']}")
    for name in sorted(set(found) - set(bars)):
        print(f"{name:<24}{found[name]:>10.3g}  (no bar)")
    out = ROOT / "out" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    table = {row["name"]: {k: row[k] for k in ("ratio", "limit", "sense", "holds")} for row in rows}
    out.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    return 0 if all(row["holds"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
