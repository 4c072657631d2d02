"""Samples → a batch: series of unequal length are padded, and samples that already lie in one batch are not copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SERIES: Final = ("image", "dates", "valid")
"""Keys whose first axis is time."""


def collate(samples: Sequence[Mapping[str, Any]], *, pad: bool = True) -> dict[str, Any]:
    """A batch of samples.

    Args:
        samples: of one dataset.
        pad: whether shorter series are padded: zeros in `image` and `dates`, False in `valid`.

    Returns:
        Each tensor with a batch axis in front, texts as lists, and `length` (B) int64, the timesteps of each sample
        before padding; the same in the dictionaries of products.

    Raises:
        InvalidInputError: series of unequal length that are not to be padded, or no sample.

    Example:
        >>> short, long = (
        ...     {"image": torch.ones(n, 1, 2, 2), "dates": torch.arange(n), "valid": torch.ones(n, 2, 2).bool()}
        ...     for n in (2, 3)
        ... )
        >>> batch = collate([short, long])
        >>> batch["image"].shape, batch["length"].tolist(), batch["valid"][0, 2].any().item()
        (torch.Size([2, 3, 1, 2, 2]), [2, 3], False)
    """
    if not samples:
        raise InvalidInputError("got a batch without samples, expected one at least")
    batch: dict[str, Any] = {}
    for key, first in samples[0].items():
        values = [sample[key] for sample in samples]
        if isinstance(first, dict):
            batch[key] = collate(values, pad=pad)
        elif not isinstance(first, torch.Tensor):
            batch[key] = values
        elif key in _SERIES:
            batch[key] = _series(values, key, pad=pad)
        else:
            batch[key] = _stacked(values)
    if "image" in batch and "length" not in batch:
        batch["length"] = torch.tensor([len(sample["image"]) for sample in samples])
    return batch


def _series(values: Sequence[torch.Tensor], key: str, *, pad: bool) -> torch.Tensor:
    lengths = [len(value) for value in values]
    if min(lengths) == max(lengths):
        return _stacked(values)
    if not pad:
        raise InvalidInputError(
            f"got {key} of {min(lengths)} to {max(lengths)} timesteps in one batch, expected equal lengths or padding"
        )
    whole = empty((len(values), max(lengths), *values[0].shape[1:]), values[0].dtype)
    for place, value in enumerate(values):
        whole[place, : len(value)] = value
        whole[place, len(value) :] = 0
    return whole


def _stacked(values: Sequence[torch.Tensor]) -> torch.Tensor:
    """One tensor; that of which they are the parts, if they are."""
    first, base = values[0], values[0]._base  # noqa: SLF001 - PyTorch's documented attribute of a view
    if base is not None and base.shape == (len(values), *first.shape) and base.is_contiguous():
        step = base.stride(0) * base.element_size() if base.dim() else 0
        if all(
            value._base is base and value.data_ptr() == base.data_ptr() + place * step  # noqa: SLF001
            for place, value in enumerate(values)
        ):
            return base
    return torch.stack(list(values), out=empty((len(values), *first.shape), first.dtype))


def empty(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """A tensor with undefined values; in a worker process of a DataLoader in the memory that it shares.

    So a batch that a worker fills is handed over without a copy, as PyTorch's own collate function does it.
    """
    if torch.utils.data.get_worker_info() is None:
        return torch.empty(shape, dtype=dtype)
    count = int(np.prod(shape, dtype=np.int64)) * torch.empty((), dtype=dtype).element_size()
    storage: Any = torch.UntypedStorage._new_shared(count)  # type: ignore[no-untyped-call]  # noqa: SLF001
    return torch.tensor([], dtype=dtype).set_(storage, 0, shape)  # type: ignore[call-overload, no-any-return]
