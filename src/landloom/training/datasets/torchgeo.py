"""Batches as the tasks of torchgeo take them, without torchgeo.

The contract is that of `torchgeo.trainers` (Stewart et al. 2024, doi:10.1145/3707459; version 0.8): a dictionary with
`image` float32 (B, C, H, W), or (B, T, C, H, W) for tasks on series, and `mask` int64 (B, H, W) or `label` (B).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from landloom.errors import InvalidInputError
from landloom.training.datasets.collate import collate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TARGETS: Final = {"label": "label", "mask": "mask", "value": "label"}
"""Target of a dataset → key under which torchgeo looks for it."""


def torchgeo_collate(
    samples: Sequence[Mapping[str, Any]], *, time: Literal["channels", "axis"] = "channels"
) -> dict[str, Any]:
    """A batch for torchgeo's tasks; the `collate_fn` of a `DataLoader`.

    Args:
        samples: of a `CorpusDataset` of one product.
        time: `channels` lays the images of a series behind one another, so a task has `in_channels` of timesteps ×
            bands; `axis` keeps them apart, for tasks on series and on change.

    Returns:
        `image` float32 (B, T × C, H, W) with all bands of the first date first, or (B, T, C, H, W); `mask` int64
        (B, H, W) with −1 for no label, to be told as `ignore_index=-1`; `label` (B), int64 for classes and float32 for
        numbers, which are `mask` float32 (B, H, W) where every pixel has its own; `id`, texts.

    Raises:
        InvalidInputError: samples of several products, of unequal length, or with a target that no task takes.

    Example:
        >>> import torch
        >>> sample = {"image": torch.ones(3, 2, 4, 4), "mask": torch.zeros(4, 4).long(), "id": "a"}
        >>> torchgeo_collate([sample, sample])["image"].shape, torchgeo_collate([sample], time="axis")["image"].shape
        (torch.Size([2, 6, 4, 4]), torch.Size([1, 3, 2, 4, 4]))
    """
    if time not in ("channels", "axis"):
        raise InvalidInputError(f"time: got {time!r}, expected channels or axis")
    batch = collate(samples, pad=False)
    if "image" not in batch:
        products = ", ".join(key for key, value in batch.items() if isinstance(value, dict))
        raise InvalidInputError(f"got samples of {products}, expected one product: torchgeo's tasks take one image")
    if "fractions" in batch:
        raise InvalidInputError("got the target fractions, expected label, mask or value, as torchgeo has them")
    image = batch["image"]
    found = {"image": image.flatten(1, 2) if time == "channels" else image}
    keys = TARGETS | ({"value": "mask"} if "value" in batch and batch["value"].ndim > 1 else {})
    found |= {key: batch[name] for name, key in keys.items() if name in batch}
    return found | ({"id": batch["id"]} if "id" in batch else {})
