"""`consensus.html` of a campaign, from its ledger and its corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from landloom.annotate.consensus.consensus import consensus
from landloom.annotate.scores.agreement import Agreement
from landloom.annotate.scores.annotators import score_annotators
from landloom.pipelines.annotation.campaign_answers import CampaignAnswers
from landloom.products.consensus.layers import chip_layers
from landloom.products.consensus.report import ClassCost, ReportContent, report_page
from landloom.reports.figures import true_colour

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from landloom.annotate.consensus.result import Consensus

PAGE: Final = "consensus.html"
"""Name of the page in the campaign's folder."""
SHOWN: Final = 4
"""Maximum number of sample chips."""


def write_report(folder: Path, own: CampaignAnswers, found: Consensus, out: Path | None = None) -> Path:
    """Write the report page of a consensus.

    Args:
        folder: of the campaign.
        own: its answers.
        found: their consensus.
        out: file for the page; by default `consensus.html` in the folder.

    Returns:
        Its path.
    """
    content = ReportContent(
        title=own.campaign.name,
        found=found,
        classes=own.classes,
        scores=score_annotators(own.answers, own.campaign.codes),
        agreement=Agreement.of(found.patterns),
        costs=class_costs(own),
        chips=_chips(own, found),
        notes=own.notes(found),
    )
    path = out or folder / PAGE
    path.write_text(report_page(content), encoding="utf-8")
    return path


def write_campaign_report(folder: Path, method: str, out: Path | None = None) -> Path:
    """Compute the consensus of a campaign and write its report page; labels are not written.

    Args:
        folder: of the campaign.
        method: of the consensus.
        out: file for the page; by default `consensus.html` in the folder.

    Returns:
        Its path.
    """
    own = CampaignAnswers.read(folder)
    return write_report(folder, own, consensus(own.answers, own.campaign.codes, method), out)


def campaign_figures(folder: Path, method: str) -> dict[str, Any]:
    """The figures of the report as JSON values.

    Args:
        folder: of the campaign.
        method: of the consensus.
    """
    own = CampaignAnswers.read(folder)
    found = consensus(own.answers, own.campaign.codes, method)
    return {
        "campaign": own.campaign.name,
        "consensus": found.document() | {"notes": list(own.notes(found))},
        "annotators": [one.document() for one in score_annotators(own.answers, own.campaign.codes)],
        "agreement": Agreement.of(found.patterns).document(),
        "experts": own.experts.document(),
        "classes": {
            str(code): {"pixels": one.pixels, "changed": one.changed, "seconds": one.seconds}
            for code, one in class_costs(own).items()
        },
    }


def class_costs(own: CampaignAnswers) -> dict[int, ClassCost]:
    """Code of each class that was chosen → pixels, changed pixels and active seconds of all answers."""
    pixels, changed, seconds = np.zeros(256), np.zeros(256), np.zeros(256)
    for task, answers in zip(own.tasks, own.answers, strict=True):
        for answer, labels in zip(task.answers, answers.labels, strict=True):
            count = np.bincount(labels, minlength=256).astype(np.float64)
            count[0] = 0
            pixels += count
            seconds += answer.seconds * count / max(count.sum(), 1)
            if answers.guess is not None:
                changed += np.bincount(labels[labels != answers.guess], minlength=256)
    return {
        one.code: ClassCost(
            pixels=float(pixels[one.code]), changed=float(changed[one.code]), seconds=float(seconds[one.code])
        )
        for one in own.classes
        if pixels[one.code]
    }


def _chips(own: CampaignAnswers, found: Consensus) -> dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Chips with the most labelled pixels, in id order."""
    chips = own.chips
    most = sorted(chips, key=lambda chip: (-sum(window.pixels for _, window in chips[chip]), chip))[:SHOWN]
    return {
        chip: (
            _picture(own, chip),
            chip_layers(found, chips[chip], own.source.grid(chip).shape, own.decided).labels,
        )
        for chip in sorted(most)
    }


def _picture(own: CampaignAnswers, chip: str) -> NDArray[np.uint8]:
    """True colour of the clearest acquisition; its first band in grey if the series has no red, green and blue."""
    names = {band.common_name: number for number, band in enumerate(own.source.bands)}
    series = own.source.read(chip)
    clear = series.valid.reshape(len(series.valid), -1).mean(axis=1)
    scene = series.reflectance[int(np.argmax(clear))]
    return true_colour(scene, *(names.get(name, 0) for name in ("red", "green", "blue")))
