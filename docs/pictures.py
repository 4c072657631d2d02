"""Draw the pictures of the gallery: `python -m docs.pictures`, from the root of the checkout.

They show what `make demo`, `demo-fused` and `demo-landcovernet` left in `out/`, and a year of the simulator. Where
something is missing, the picture stays as it is, and a line says so. Pages need Chromium.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image
from tests.chromium import chromium

import landloom
from landloom.imagery.change.breaks import BreakTest, find_breaks
from landloom.imagery.change.indices import index_bands, normalised_difference
from landloom.imagery.fusion.noise import noise_levels
from landloom.reports.figures import new_figure, png
from landloom.simulate.judge.change import CHANGE_BANDS, judge_change, usable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

ROOT: Final = Path(__file__).parents[1]
IMAGES: Final = ROOT / "docs" / "images"
OUT: Final = ROOT / "out"
CHANGE_SEED: Final = 9
MONTHS: Final = [(date(2018, month, 1).timetuple().tm_yday - 1, f"{date(2018, month, 1):%b}") for month in range(1, 13)]
"""First day of each month, and its name."""
WIDTH: Final = 1100
"""Most pixels across: what a page of the documentation shows at twice its density."""


def small(data: bytes) -> bytes:
    """A PNG of at most WIDTH pixels across and 256 colours."""
    with Image.open(io.BytesIO(data)) as image:
        picture = image.convert("RGB")
        if picture.width > WIDTH:
            picture = picture.resize((WIDTH, round(picture.height * WIDTH / picture.width)), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        picture.quantize(256, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def samples() -> bytes:
    """Samples of the demo corpus by split."""
    figure = new_figure(7, 4)
    landloom.open(OUT / "demo/corpus").query().plot(by="split", ax=figure.subplots())
    return png(figure)


def year() -> bytes:
    """A sample of the demo corpus, month by month."""
    selection = landloom.open(OUT / "demo/corpus").query('"Agricultural areas" > 0.4', products="s2")
    pictures = selection.rgb(0)
    figure = new_figure(9, 3.2)
    for axes, moment in zip(figure.subplots(2, 6).flat, pictures.time, strict=False):
        axes.imshow(pictures.sel(time=moment).transpose("y", "x", "band"))
        axes.set_title(str(moment.values)[:7], fontsize=8)
        axes.axis("off")
    return png(figure)


def series() -> bytes:
    """The fused series of a pixel, with its quality."""
    corpus = OUT / "demo-fused/corpus"
    sample = landloom.open(corpus).query().ids[0]
    target = OUT / "series.png"
    command = [sys.executable, "-m", "landloom.cli", "series", str(corpus), sample, "--pixel", "30,30"]
    subprocess.run([*command, "--out", str(target)], check=True)
    return target.read_bytes()


def change() -> bytes:
    """Dates of abrupt change in a year of the judge's world that no figure is of, found and true."""
    case = judge_change(CHANGE_SEED)
    year = (case.days >= 0) & (case.days < 365)
    valid, pair = usable(case.clear), index_bands("ndvi", CHANGE_BANDS)
    ndvi, variance = normalised_difference(case.pixels[year], pair, noise_levels(case.pixels, valid))
    seen, days = valid[year], case.days[year]
    found = find_breaks(ndvi, variance, seen, days, BreakTest()).date[0]
    shown, figure = np.isfinite(case.event) & (np.abs(found - case.event) < 15), new_figure(11, 5.4)
    left, *maps = figure.subfigures(1, 3, width_ratios=(4, 3, 3))
    kinds = {"field": shown & ~case.forest, "forest": shown & case.forest, "stable land": np.isnan(case.event + found)}
    for axes, (name, mask) in zip(left.subplots(3, 1, sharex=True), kinds.items(), strict=True):
        row, column = np.unravel_index(np.argmax(np.where(mask, seen.sum(axis=0), -1)), mask.shape)
        there = seen[:, row, column]
        axes.plot(days[there], ndvi[there, row, column], ".", color="#2f6b1f")
        axes.set(title=name, ylim=(-0.1, 1), ylabel="NDVI")
        if name != "stable land":
            axes.axvline(found[row, column], color="#c1272d", label="found")
            axes.axvline(case.event[row, column], color="black", linestyle=":", label="true")
            axes.legend(fontsize=7, loc="upper left")
    axes.set_xticks([day for day, _ in MONTHS[::2]], [name for _, name in MONTHS[::2]])
    for part, (name, dates) in zip(maps, {"found": found, "true": case.event}.items(), strict=True):
        axes = part.subplots()
        drawn = axes.imshow(dates, vmin=120, vmax=330, interpolation="nearest")
        axes.set(title=f"date of change, {name}", xticks=[], yticks=[])
        bar = part.colorbar(drawn, orientation="horizontal")
        bar.set_ticks([day for day, _ in MONTHS[4:11]], labels=[name for _, name in MONTHS[4:11]])
    return png(figure)


def page(browser: Browser, address: str, height: int, top: int = 0) -> bytes:
    """A part of a page as it looks 1,280 pixels wide."""
    context = browser.new_context(viewport={"width": 1280, "height": height}, device_scale_factor=1)
    try:
        shown = context.new_page()
        shown.goto(address)
        shown.wait_for_timeout(3000)
        return shown.screenshot(full_page=bool(top), clip={"x": 0, "y": top, "width": 1280, "height": height})
    finally:
        context.close()


@contextmanager
def served(corpus: Path) -> Iterator[str]:
    """The address of a server of a corpus."""
    command = [sys.executable, "-m", "landloom.cli", "serve", str(corpus), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            lines = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in server.stdout or ())
            yield next(found[0] for found in lines if found)
        finally:
            server.terminate()


def draw(name: str, needed: Path, make: Callable[..., bytes], *arguments: Any) -> None:
    """Write one picture, where what it shows is there."""
    if not needed.exists():
        sys.stdout.write(f"{name}.png stays as it is: {needed.relative_to(ROOT)} is missing\n")
        return
    data = small(make(*arguments))
    (IMAGES / f"{name}.png").write_bytes(data)
    sys.stdout.write(f"{name}.png: {len(data):,} bytes\n")


def main() -> None:
    """Draw every picture whose source is there."""
    draw("samples", OUT / "demo/corpus", samples)
    draw("year", OUT / "demo/corpus", year)
    draw("change", ROOT, change)
    draw("series", OUT / "demo-fused/corpus", series)
    with chromium() as browser:
        with served(OUT / "demo/corpus") as address:
            sample = landloom.open(OUT / "demo/corpus").query("clc_2 > 0.3").ids[0]
            for name, hash_ in (
                ("explorer", f"#sample={sample}&colour=clc_2"),
                ("gallery", "#show=gallery&sort=clc_2"),
            ):
                draw(name, OUT / "demo/corpus", page, browser, f"{address}/{hash_}", 720)
        report, guess = OUT / "demo/corpus/report.html", OUT / "demo-landcovernet/guess.html"
        draw("report", report, page, browser, report.as_uri(), 1500)
        draw("guess", guess, page, browser, guess.as_uri(), 1100)


if __name__ == "__main__":
    main()
