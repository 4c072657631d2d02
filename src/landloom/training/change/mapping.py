"""Dated breaks of the samples of a corpus, and their comparison with known dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from landloom.errors import InvalidInputError
from landloom.model.sensor import REFLECTANCE_SCALE
from landloom.simulate.judge.change import changing_year
from landloom.simulate.judge.composites import judge_grid
from landloom.training.change.head import ChangeHead
from landloom.training.change.reading import ObservedImages, read_dates
from landloom.training.change.worlds import HELD_OUT
from landloom.training.datasets.dataset import CorpusDataset
from landloom.training.evaluation.dates import Dates
from landloom.training.fit.held_out import sample_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from landloom.imagery.change.breaks import Breaks
    from landloom.query.corpus import Corpus
    from landloom.query.selection import Selection
    from landloom.training.change.lesson import ChangeLesson
    from landloom.training.fit.trained import Trained

MOST: Final = 2
"""Breaks of a pixel."""
_CELL: Final = 60
"""Pixels of the side of a block of a simulated world."""
_STRIDE: Final = 3
"""Pixels between those of it that are compared."""
FEWEST: Final = 6
"""Observations below which nothing is said of a pixel."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SampleBreaks:
    """Breaks of a sample."""

    id: str
    breaks: Breaks


def head_of(trained: Trained) -> ChangeHead:
    """The head of a trained model.

    Raises:
        InvalidInputError: it has no network.
    """
    own = trained.description
    if trained.network is None:
        raise InvalidInputError("got a model without weights")
    return ChangeHead(
        network=trained.network, bands=own.bands, mean=np.array(own.mean), deviation=np.array(own.deviation)
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChangeMapper:
    """Dates the changes of the samples of a selection, one after another."""

    head: ChangeHead
    corpus: Corpus
    product: str
    ids: tuple[str, ...]
    """Samples with images."""
    unseen: Mapping[str, str]
    """Samples without any image, and why."""

    @classmethod
    def of(cls, trained: Trained, corpus: Corpus, selection: Selection) -> ChangeMapper:
        """Check a model against a corpus, before anything is read.

        Raises:
            NotFoundError: the corpus lacks the model's images or bands.
            InvalidInputError: no sample has an image.
        """
        own = trained.description
        dataset = CorpusDataset(selection, own.product, None, bands=own.bands, missing="drop")
        return cls(head=head_of(trained), corpus=corpus, product=own.product, ids=dataset.ids, unseen=dataset.left_out)

    def __iter__(self) -> Iterator[SampleBreaks | tuple[str, str]]:
        """Each sample's breaks; or its id, and why there are none."""
        for name in self.ids:
            images = ObservedImages.read(self.corpus, name, self.product, self.head.bands)
            if images.valid.sum(axis=0).max(initial=0) < FEWEST:
                yield name, f"no pixel has {FEWEST} observations"
                continue
            yield SampleBreaks(id=name, breaks=breaks_of(self.head, images))


def breaks_of(head: ChangeHead, images: ObservedImages) -> Breaks:
    """Breaks of a sample; none of pixels with too few observations."""
    enough = images.valid.sum(axis=0) >= FEWEST
    return head.breaks(images.image, images.dates, images.valid & enough, MOST)


def held_out_dates(
    lesson: ChangeLesson, trained: Trained, split: str, done: Callable[[str], None] = lambda _: None
) -> Dates:
    """Dates of all samples of a split against those that the corpus holds.

    Args:
        lesson: what was learnt.
        trained: its model.
        split: name of the split.
        done: is called with the id of each sample.

    Raises:
        InvalidInputError: no sample has images and dates.
    """
    head, corpus = head_of(trained), lesson.corpus
    reader, _ = lesson.reader(lesson.lesson.selection(lesson.corpus, split))
    blocks = sample_blocks(corpus, lesson.lesson.split_set)
    parts = []
    for number in range(len(reader.samples)):
        name = reader.samples.id(number)
        images = ObservedImages.read(corpus, name, lesson.product, head.bands)
        truth = read_dates(reader, number, (images.valid.shape[1], images.valid.shape[2]))
        found = breaks_of(head, images).date
        pixels = images.valid.any(axis=0).ravel()
        rows = (truth.reshape(len(truth), -1)[:, pixels], found.reshape(len(found), -1)[:, pixels])
        parts.append(Dates.of_pixels(name, *rows, int(blocks[reader.samples.rows[number]])))
        done(name)
    return Dates.joined(parts)


def world_dates(lesson: ChangeLesson, trained: Trained) -> Dates:
    """Dates of a simulated world that was not learnt from, in blocks of 600 m."""
    head, grid = head_of(trained), judge_grid()
    year = changing_year(HELD_OUT, grid, lesson.simulated())
    image = year.pixels.astype(np.float32) / np.float32(REFLECTANCE_SCALE)
    parts = []
    for block, (row, column) in enumerate(
        (row, column) for row in range(0, grid.height, _CELL) for column in range(0, grid.width, _CELL)
    ):
        part = np.s_[..., row : row + _CELL : _STRIDE, column : column + _CELL : _STRIDE]
        images = ObservedImages(image=image[part], dates=year.days.astype(np.int64), valid=year.clear[part])
        found, truth = breaks_of(head, images).date, year.event[part].reshape(1, -1)
        parts.append(Dates.of_pixels(f"world-{HELD_OUT}-{block}", truth, found.reshape(len(found), -1), block))
    return Dates.joined(parts)
