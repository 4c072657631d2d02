"""The races of `benchmarks.race` with 60 samples: a month of one tile, local and over HTTP with 40 ms a request."""

from __future__ import annotations

from statistics import median

from benchmarks.race import FEW, race


def run() -> dict[str, float]:
    """Ratios to the loop of rasterio and bottleneck, and to the least that has to be fetched and decoded."""
    found = race(6, (FEW,), 3, ("odc",))
    local, http = found[f"local_{FEW}"], found[f"http_{FEW}"]

    def middle(who: str, what: str) -> float:
        return float(median(row[what] for row in http["rows"][who]))

    return {
        "race_local_cpu": local["loop_cpu"],
        "race_odc_cpu": local["odc_cpu"],
        "race_odc_http_wall": http["odc_wall"],
        "race_http_wall": http["loop_wall"],
        "race_http_limit": 1 / http["limit_wall"],
        "race_http_requests": middle("landloom", "requests") / middle("limit", "requests"),
        "race_http_bytes": middle("landloom", "read") / middle("limit", "read"),
        "race_worker_gib": max(row["mib"] for row in (*local["rows"]["landloom"], *http["rows"]["landloom"])) / 1024,
        "race_different": local["different"] + http["different"],
    }
