"""A sample as a figure: what a model gets, as a person sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from landloom.reports.figures import legend, new_figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from landloom.training.datasets.plan import DatasetPlan
    from landloom.training.datasets.series import SeriesPlan

_VISIBLE = (("B04", "B03", "B02"), ("red", "green", "blue"))
_COLUMNS = 6
_BRIGHT = 0.3
"""Reflectance shown as white at most, so that clouds do not make the land black."""
_NO_DATA = (0.85, 0.85, 0.85)


def draw_sample(plan: DatasetPlan, sample: Mapping[str, Any], rgb: Sequence[str] | None = None) -> Figure:
    """Images in time order, grey where not valid, with a mask beside them and any other target as the title.

    Args:
        plan: of the dataset.
        sample: one example, not a batch.
        rgb: bands shown as red, green and blue.
    """
    series = [(one, sample[one.key] if len(plan.series) > 1 else sample) for one in plan.series]
    pictures: list[tuple[str, NDArray[Any], str]] = []
    for number, (one, part) in enumerate(series):
        pictures += _pictures(plan, number, one, part, rgb)
    dense = [part[key].numpy() for _, part in series for key in ("mask", "value") if key in part]
    masks = [one for one in dense if one.ndim == 2][:1]
    count = len(pictures) + len(masks)
    rows = -(-count // _COLUMNS)
    figure = new_figure(2.2 * min(count, _COLUMNS), 2.4 * rows + 0.6)
    for place, (title, picture, _) in enumerate(pictures, 1):
        axes = figure.add_subplot(rows, min(count, _COLUMNS), place)
        axes.imshow(picture, interpolation="nearest")
        axes.set_title(title, fontsize=8)
        axes.set_axis_off()
    for mask in masks:
        axes = figure.add_subplot(rows, min(count, _COLUMNS), count)
        _draw_mask(axes, mask, [] if plan.target is None else list(plan.target.classes))
    figure.suptitle(f"{sample['id']}{_told(plan, sample)}", fontsize=10)
    return figure


def _pictures(
    plan: DatasetPlan, number: int, series: SeriesPlan, part: Mapping[str, Any], rgb: Sequence[str] | None
) -> list[tuple[str, NDArray[Any], str]]:
    gain, shift = plan.affine(number)
    image, valid, length = part["image"].numpy(), part["valid"].numpy(), int(part["length"])
    wanted = next((own for own in (rgb, *_VISIBLE) if own and set(own) <= set(series.bands)), series.bands[:1])
    places = [series.bands.index(band) for band in wanted]
    stored = (image[:length, places] - shift[places][:, None, None]) / (gain * series.scale)[places][:, None, None]
    seen = np.broadcast_to(valid[:length, None], stored.shape)
    high = float(np.percentile(stored[seen], 98)) if seen.any() else 1.0
    high = min(high, _BRIGHT) if series.scale != 1 else high
    low = min(float(np.percentile(stored[seen], 2)), 0.0) if seen.any() else 0.0
    shown = np.clip((stored - low) / max(high - low, 1e-6), 0, 1).transpose(0, 2, 3, 1)
    shown = np.repeat(shown, 3, axis=3) if shown.shape[3] == 1 else shown
    shown = np.where(valid[:length, ..., None], shown, _NO_DATA)
    days = part["dates"].numpy()[:length].astype("M8[D]")
    return [(f"{series.key} {day}", picture, series.key) for day, picture in zip(days, shown, strict=True)]


def _draw_mask(axes: Any, mask: NDArray[Any], classes: Sequence[str]) -> None:
    if mask.dtype.kind == "f":
        picture = axes.imshow(mask, interpolation="nearest")
        axes.figure.colorbar(picture, ax=axes, fraction=0.046)
        axes.set_title("value", fontsize=8)
        axes.set_axis_off()
        return
    from matplotlib import colormaps
    from matplotlib.patches import Patch

    colours = colormaps["tab20"](np.arange(20))[:, :3]
    axes.imshow(np.where(mask[..., None] < 0, _NO_DATA, colours[mask % 20]), interpolation="nearest")
    axes.set_title("mask", fontsize=8)
    axes.set_axis_off()
    present = [number for number in np.unique(mask).tolist() if number >= 0]
    patches = [Patch(color=tuple(colours[number % 20])) for number in present]
    legend(axes, patches, [classes[number] for number in present], fontsize=6, loc="lower right")


def _told(plan: DatasetPlan, sample: Mapping[str, Any]) -> str:
    """The target in words."""
    classes = () if plan.target is None else plan.target.classes
    if "label" in sample:
        return f": {classes[int(sample['label'])]}"
    if "fractions" in sample:
        shares = sample["fractions"].numpy()
        largest = [number for number in np.argsort(-shares)[:3].tolist() if shares[number] > 0]
        return ": " + ", ".join(f"{classes[number]} {shares[number]:.0%}" for number in largest)
    return f": {float(sample['value']):g}" if "value" in sample and not sample["value"].ndim else ""
