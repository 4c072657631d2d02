"""Where networks compute: a graphics card or the processor, and with how many threads."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from landloom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def steady_threads() -> Iterator[None]:
    """Compute with as many threads as this process has cores, or as OMP_NUM_THREADS says.

    Sums depend on the number of threads in their last bits, and other libraries of a process may have changed it.
    """
    before = torch.get_num_threads()
    told = os.environ.get("OMP_NUM_THREADS", "")
    torch.set_num_threads(int(told) if told.isdigit() and int(told) > 0 else (os.cpu_count() or 1))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_of(accelerator: str) -> torch.device:
    """The device that a setting stands for.

    Raises:
        InvalidInputError: a graphics card is asked for, and there is none.
    """
    there = torch.cuda.is_available()
    if accelerator == "gpu" and not there:
        raise InvalidInputError("got accelerator 'gpu', expected 'cpu' or 'auto': PyTorch sees no graphics card")
    return torch.device("cuda" if there and accelerator != "cpu" else "cpu")


def on_device(batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
    """A batch with its tensors on a device."""
    if device.type == "cpu":
        return batch
    return {
        name: one.to(device, non_blocking=True) if isinstance(one, torch.Tensor) else one for name, one in batch.items()
    }
