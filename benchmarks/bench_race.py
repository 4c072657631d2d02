"""The races of `benchmarks.race`: a month of one tile, local, and with 60 samples over HTTP with 40 ms a request."""

from __future__ import annotations

from statistics import median

from benchmarks.race import ALL, FEW, race


def run() -> dict[str, float]:
    """Ratios to the loop of rasterio and bottleneck, and to the least that has to be fetched and decoded."""
    found = race(6, (FEW, ALL), 3, ("odc",))
    local, dense, http = found[f"local_{FEW}"], found[f"local_{ALL}"], found[f"http_{FEW}"]

    def middle(who: str, what: str) -> float:
        return float(median(row[what] for row in http["rows"][who]))

    return {
        "race_local_cpu": local["loop_cpu"],
        "race_odc_cpu": local["odc_cpu"],
        "race_dense_cpu": dense["loop_cpu"],
        "race_dense_wall": dense["loop_wall"],
        "race_dense_odc_cpu": dense["odc_cpu"],
        "race_odc_http_wall": http["odc_wall"],
        "race_http_wall": http["loop_wall"],
        "race_http_limit": 1 / http["limit_wall"],
        "race_http_requests": middle("landloom", "requests") / middle("limit", "requests"),
        "race_http_bytes": middle("landloom", "read") / middle("limit", "read"),
        "race_worker_gib": max(row["mib"] for one in (local, dense, http) for row in one["rows"]["landloom"]) / 1024,
        "race_different": local["different"] + dense["different"] + http["different"],
    }
