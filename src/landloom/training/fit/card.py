"""The card of a model: what it is, what it was trained on, how it scores, and what it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from landloom.training.evaluation.dates import COUNTS, Dates
from landloom.training.evaluation.measures import TITLES
from landloom.training.evaluation.predictions import Predictions
from landloom.training.evaluation.scores import ModelScores
from landloom.training.evaluation.values import Values
from landloom.training.fit.tasks import task_of
from landloom.training.models.table import model_kind

Held = Predictions | Values | Dates
"""What a model says of samples that were held out."""

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from landloom.training.evaluation.intervals import Estimate
    from landloom.training.fit.folder import ModelDescription
    from landloom.training.fit.learn import Learnt

NUMBER_TITLES: Final = {
    "mae": "mean absolute error",
    "rmse": "root mean squared error",
    "bias": "bias (predicted − true)",
    "r2": "R²",
    "f1": "F1 within 15 days",
    "precision": "precision",
    "recall": "recall",
    "false_share": "stable pixels with a break",
}
_LEFT_OUT: Final = 20
"""Samples that are listed."""


def scores_of(description: ModelDescription, predictions: Mapping[str, Held]) -> dict[str, dict[str, Any]]:
    """Split → its scores as JSON values."""
    found: dict[str, dict[str, Any]] = {}
    for split, own in predictions.items():
        if isinstance(own, Values | Dates):
            found[split] = own.document()
        else:
            found[split] = ModelScores.of(description.model, [own]).document()
    return found


def card(learnt: Learnt, predictions: Mapping[str, Held]) -> str:
    """The card as Markdown.

    Args:
        learnt: the model.
        predictions: split → what it says of it.
    """
    own = learnt.description
    kind, task = model_kind(own.model), task_of(own.task)
    lines = [
        f"# {kind.title}: {task.title.lower()}",
        "",
        f"Trained by {own.software}. Method: {kind.paper}.",
        "",
        "## What it learnt from",
        "",
        *_table(_sources(learnt)),
        "",
        "## Splits",
        "",
        *_proof(own),
        "",
        "## Scores",
        "",
    ]
    for split, one in predictions.items():
        lines += [f"### {split}", "", *_scores(own, one), ""]
    lines += ["## What it knows", "", *_classes(own), ""]
    if learnt.left_out:
        lines += [f"## Left out of training: {len(learnt.left_out):,} samples", ""]
        rows = list(learnt.left_out.items())
        lines += [f"- {name} {why}" for name, why in rows[:_LEFT_OUT]]
        lines += [f"- … and {len(rows) - _LEFT_OUT:,} more"] if len(rows) > _LEFT_OUT else []
        lines.append("")
    return "\n".join(lines)


def _table(rows: Sequence[tuple[str, object]]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]


def _sources(learnt: Learnt) -> list[tuple[str, object]]:
    own = learnt.description
    corpus, target = own.corpus, own.target
    told = f"{target['kind']} of `{target['product']}`" if target["product"] else str(target["kind"])
    told += "".join(f", {name} {target[name]}" for name in ("level", "crosswalk", "band", "unit") if target.get(name))
    rows: list[tuple[str, object]] = [
        ("corpus", f"{corpus['name']} {corpus['version']}"),
        ("digest of the corpus", f"`{corpus['digest'] or 'none'}`"),
        ("digest of the data used", f"`{corpus['data']}`"),
        ("images", f"`{own.product}`, {own.timesteps} timesteps, bands {', '.join(own.bands)}"),
        ("target", told),
        *_encoder(own),
        ("examples", f"{learnt.examples:,}"),
        ("statistics of the training part", f"`{own.statistics or 'of the series themselves'}`"),
        ("seed", own.seed),
        ("settings", ", ".join(f"{name} {value}" for name, value in {**own.settings, **own.options}.items())),
    ]
    if learnt.history:
        best = min(learnt.history, key=lambda row: (row["val_loss"] != row["val_loss"], row["val_loss"]))
        rows.append(("epochs", f"{len(learnt.history)}; lowest validation loss in epoch {best['epoch']:.0f}"))
    return rows


def _encoder(own: ModelDescription) -> list[tuple[str, object]]:
    """File, licence and bands of a published encoder."""
    if own.encoder is None:
        return []
    kind, bands = model_kind(own.model), dict(own.encoder["bands"])
    seen = ", ".join(name if name == mine else f"{name} by {mine}" for name, mine in bands.items())
    return [
        ("weights of the encoder", f"`{own.encoder['file']}`, SHA-256 `{own.encoder['sha256']}`; frozen"),
        ("licence of the published weights", f"{kind.licence} ({kind.file})"),
        ("bands of the encoder", f"{seen}; all other inputs of it are missing"),
    ]


def _proof(own: ModelDescription) -> list[str]:
    split_set = own.split_set
    if not split_set["name"]:
        return ["None: it learnt from simulated worlds alone, and was scored on another one."]
    proof: Mapping[str, Any] = split_set["proof"]
    named = f"Split set `{split_set['name']}`, digest `{split_set['digest']}`"
    lines = [f"{named}: trained on {', '.join(split_set['train'])}; stopped by {split_set['val'] or 'nothing'}."]
    if "gap" in proof:
        lines.append(
            f"Proof: {proof['pairs']:,} pairs measured, {proof['violations']} nearer than {proof['gap']:,.0f} m."
        )
    for pair, distance in dict(proof.get("nearest", {})).items():
        lines.append(f"Nearest {pair}: {distance:,.0f} m.")
    return lines


def _scores(own: ModelDescription, predictions: Held) -> list[str]:
    if isinstance(predictions, Values | Dates):
        told = predictions.document()
        lines: list[tuple[str, object]] = [
            (name, told[name]) for name in ("samples", "numbers", "blocks", "unit", *COUNTS) if name in told
        ]
        lines += [(NUMBER_TITLES[name], _told(one, "#.4g")) for name, one in predictions.scores().items()]
        return [*_table(lines), *(f"\n{note}" for note in told.get("notes", ()))]
    scores = ModelScores.of(own.model, [predictions])
    rows: list[tuple[str, object]] = [("samples", f"{scores.samples:,}"), ("blocks", scores.blocks)]
    rows += [(TITLES[name], _told(one)) for name, one in scores.overall.items()]
    return [*_table(rows), *(f"\n{note}" for note in scores.notes)]


def _told(one: Estimate, form: str = ".3f") -> str:
    interval = "" if one.low != one.low else f" ({one.low:{form}} to {one.high:{form}})"
    return f"{one.value:{form}}{interval}"


def _classes(own: ModelDescription) -> list[str]:
    if not own.classes:
        return ["A number."]
    return ["| class | code in rasters | name |", "|---|---|---|"] + [
        f"| {one.key} | {one.code} | {one.name} |" for one in own.classes
    ]
