"""Models on real data, cross-validated over spatial blocks: `python -m benchmarks.real_models DATA OUT`.

Slovenia: land use of every pixel from 68 acquisitions of NDVI, by `landloom`'s own recipe and `train_corpus`. France:
crops of parcels from 51 dekads of nine bands, from a table. Prints the tables of `docs/explanation/models.md`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import geopandas
import numpy as np
import pandas as pd
import torch
import yaml
from tests.slovenia import CLEAR, read_acquisitions, read_grid, recipe, write_archive

from landloom.pipelines.build import build
from landloom.pipelines.splitting import split_corpus
from landloom.pipelines.training import train_corpus
from landloom.training.datasets.targets import Target
from landloom.training.evaluation.leaderboard import Leaderboard
from landloom.training.evaluation.predictions import Predictions
from landloom.training.fit.axis import TimeAxis
from landloom.training.fit.batches import LabelledSeries, SeriesExamples, whole
from landloom.training.fit.folder import ModelFolder
from landloom.training.fit.learn import Lesson
from landloom.training.fit.networks import Parts, fit_network, predict_batches
from landloom.training.fit.settings import FitSettings
from landloom.training.models.table import make_network, model_kind
from landloom.training.models.trees import Trees, features
from landloom.training.splits.blocks import square_blocks
from landloom.training.splits.make import SplitSettings, folds

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS: Final = 4
SHOWN: Final = ("accuracy", "balanced_accuracy", "macro_f1", "ece")
UTAE: Final = {"encoder": [16, 16, 32], "decoder": [16, 16, 32], "width": 64}
CROPS: Final = "CROPTYPE_INSEASON_FRANCE"
LEAST: Final = 10
"""Parcels of a class at least."""


def slovenia(data: Path, out: Path) -> Leaderboard:
    """Land use of pixels in windows of 80 m; blocks of 330 m, and no window beside one of another fold."""
    folder = out / "slovenia"
    if not (folder / "corpus").is_dir():
        grid = read_grid(data)
        scenes = {
            instant: (np.where(np.isin(classes, CLEAR), numbers, 0).astype(np.uint16), classes)
            for instant, (numbers, classes) in read_acquisitions(data).items()
        }
        (folder / "archive").mkdir(parents=True)
        recipe(folder, write_archive(scenes, grid, folder / "archive"), grid, size=8)
        parcels = geopandas.read_file(data / "s2_eolearn_slovenia" / "lulc" / "LULC.gpkg")
        parcels = parcels[parcels["LULC_ID"] > 0].reset_index(drop=True)
        named = geopandas.GeoDataFrame(
            {"id": parcels.index + 1, "use": parcels["LULC_NAME"]}, geometry=parcels.geometry, crs=parcels.crs
        )
        named.to_file(folder / "parcels.gpkg")
        document = yaml.safe_load((folder / "landloom.yaml").read_text(encoding="utf-8"))
        document["parcels"] = {
            "file": "parcels.gpkg",
            "columns": {"ground_truth": "use"},
            "invalid": "repair",
            "terms": {"licence": "proprietary", "attribution": "Slovenian ministry of agriculture"},
        }
        (folder / "landloom.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        build(folder)
    corpus = str(folder / "corpus")
    split = SplitSettings(by="blocks", gap=10, block_size=330, shares=folds(FOLDS))
    report = split_corpus(corpus, "blocks", split, figure=False)
    print(f"Slovenia: {report.samples} windows, {report.proof.gap_samples} in the gap", file=sys.stderr)
    names = tuple(split.shares)
    found = {}
    for model in ("forest", "boosting", "tempcnn", "ltae", "utae"):
        parts = []
        for name in names:
            lesson = Lesson(
                task="dense",
                model=model,
                split_set="blocks",
                target=Target(kind="mask", product="classes"),
                product="s2_10m",
                train=tuple(one for one in names if one != name),
                val=None,
                options=UTAE if model == "utae" else {},
                pixels=40,
                settings=FitSettings(epochs=15, batch=16 if model == "utae" else 64, rate=2e-3),
            )
            train_corpus(corpus, lesson, folder / f"{model}-{name}")
            parts.append(ModelFolder(folder / f"{model}-{name}").predictions(name))
        found[model] = [Predictions.joined(parts)]
        print(model, "done", file=sys.stderr)
    return Leaderboard.of(found, "all folds")


def parcels(data: Path) -> tuple[LabelledSeries, NDArray[np.int64], tuple[str, ...]]:
    """French parcels with a class of at least ten, the block of 10 km that each lies in, and the classes."""
    folder = data / "s2_parcels_worldcereal_france"
    table = pd.read_parquet(folder / "2023_FRA_LPIS_POLY_110.geoparquet")
    bands = [name for name in table.columns if name.startswith("S2-L2A-") and not name.endswith("B8A")]
    mapping = json.loads((folder / "class_mappings.json").read_text(encoding="utf-8"))[CROPS]
    table["crop"] = table["ewoc_code"].astype(str).map(mapping)
    first = table.groupby("sample_id").first()
    counts = first["crop"].value_counts()
    classes = tuple(sorted(counts[counts >= LEAST].index))
    kept = first[first["crop"].isin(classes)]
    dates = np.sort(table["timestamp"].unique())
    rows = table[table["sample_id"].isin(kept.index)]
    place = kept.index.get_indexer(pd.Index(rows["sample_id"]))
    numbers = np.full((len(kept), len(dates), len(bands)), 65_535, np.float64)
    numbers[place, np.searchsorted(dates, rows["timestamp"])] = rows[bands]
    usable = np.asarray(((numbers > 0) & (numbers < 65_535)).all(axis=2))
    made = LabelledSeries(
        id=kept.index.to_numpy(str),
        sample=np.arange(len(kept)),
        image=np.where(usable[..., None], numbers / 10_000, 0).astype(np.float32),
        dates=np.tile(dates.astype("M8[D]").astype(np.int64), (len(kept), 1)),
        valid=usable,
        target=np.array([classes.index(crop) for crop in kept["crop"]]),
        weight=np.ones(len(kept), np.float32),
    )
    print(f"France: {len(kept)} of {len(first)} parcels, {len(classes)} classes", file=sys.stderr)
    return made, square_blocks(kept["lon"].to_numpy(), kept["lat"].to_numpy(), 10_000), classes


def france(data: Path, out: Path) -> Leaderboard:
    """Crops of parcels; blocks of 10 km in four folds."""
    table, blocks, classes = parcels(data)
    fold = np.random.default_rng(0).permutation(blocks.max() + 1)[blocks] % FOLDS
    found = {}
    for model in ("forest", "boosting", "tempcnn", "ltae"):
        chances = np.zeros((len(table), len(classes)), np.float32)
        for number in range(FOLDS):
            held = fold == number
            folder = out / "france" / f"{model}-{number}"
            folder.mkdir(parents=True, exist_ok=True)
            chances[held] = _fold(model, table.rows(~held), table.rows(held), len(classes), folder)
        found[model] = [
            Predictions.of(
                id=table.id.tolist(),
                truth=table.target,
                probabilities=chances,
                classes=classes,
                block=blocks,
                split="all folds",
            )
        ]
        print(model, "done", file=sys.stderr)
    return Leaderboard.of(found, "all folds")


def _fold(model: str, train: LabelledSeries, held: LabelledSeries, classes: int, folder: Path) -> NDArray[Any]:
    kind = model_kind(model)
    axis = TimeAxis.of(train)
    if kind.is_regular:
        train, held = axis.apply(train), axis.apply(held)
    if not kind.is_network:
        rows = features(train.image, train.valid)
        trees = Trees.fit(model, rows, train.target, train.weight, classes=classes, seed=0, options={}, jobs=-1)
        return trees.predict(features(held.image, held.valid))
    pixels = train.image[train.valid]
    mean, deviation = pixels.mean(axis=0, dtype=float), pixels.std(axis=0, dtype=float)
    torch.manual_seed(0)
    bands, timesteps = train.image.shape[2], train.image.shape[1]
    network = make_network(model, bands=bands, outputs=classes, timesteps=timesteps, options={})
    parts = Parts(train=SeriesExamples(train, mean, deviation), val=None, collate=whole)
    fit_network(network, parts, FitSettings(epochs=60, batch=32), folder)
    examples = SeriesExamples(held, mean, deviation)
    (_, found), *_ = predict_batches(network, [examples.__getitems__(range(len(examples)))])
    return np.asarray(found)


def markdown(board: Leaderboard) -> str:
    """A table with intervals over blocks."""
    lines = ["| model | " + " | ".join(name.replace("_", " ") for name in SHOWN) + " |", "|---" * 5 + "|"]
    for one in board.models:
        cells = [one.overall[name] for name in SHOWN]
        told = [f"{cell.value:.3f} ({cell.low:.3f} to {cell.high:.3f})" for cell in cells]
        lines.append(f"| {model_kind(one.name).title} | " + " | ".join(told) + " |")
    first = board.models[0]
    lines += ["", f"{first.samples:,} samples in {first.blocks} blocks.", ""]
    return "\n".join(lines)


def main() -> None:
    """Both, as Markdown."""
    data, out = Path(sys.argv[1]), Path(sys.argv[2])
    for title, board in (("France", france), ("Slovenia", slovenia)):
        print(f"### {title}\n\n{markdown(board(data, out))}", flush=True)


if __name__ == "__main__":
    main()
