"""Files of weights: tensors alone, and those of the network that they are to be put into."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import torch

from landloom.errors import InvalidInputError, counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor


def check_same(weights: Mapping[str, Tensor], model: torch.nn.Module, source: str | Path) -> None:
    """Refuse weights of another network; the first tensor that differs is named.

    Args:
        weights: name → tensor.
        model: the network that they are for.
        source: of the weights, for the message.

    Raises:
        InvalidInputError: names or shapes differ.
    """
    wanted = model.state_dict()
    sizes, expected = ({name: tuple(one.shape) for name, one in own.items()} for own in (weights, wanted))
    odd = sorted({name for name, size in sizes.items() ^ expected.items()})
    if odd:
        got, size = sizes.get(odd[0], "none"), expected.get(odd[0], "none")
        raise InvalidInputError(
            f"{source}: got the weights of another network, expected those of {type(model).__name__}: "
            f"{counted(len(odd), 'tensor')} differ, such as {odd[0]} of shape {got}, not {size}"
        )


def read_tensors(path: Path) -> Any:
    """Read a file of PyTorch that holds tensors and plain values alone; nothing in it is ever run.

    Raises:
        InvalidInputError: it is none, or holds other objects.
    """
    try:
        return torch.load(io.BytesIO(path.read_bytes()), map_location="cpu", weights_only=True)
    except Exception as error:
        # Whatever a broken or hostile file makes the reader stumble over.
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidInputError(f"{path}: got no file of tensors alone, expected weights: {told}") from error


def read_named(path: Path) -> dict[str, Tensor]:
    """Read a file of named tensors.

    Raises:
        InvalidInputError: it holds anything else.
    """
    weights = read_tensors(path)
    named = isinstance(weights, dict) and all(isinstance(name, str) for name in weights)
    if not named or not all(isinstance(one, torch.Tensor) for one in weights.values()):
        raise InvalidInputError(f"{path}: got {type(weights).__name__}, expected names with tensors alone")
    found: dict[str, Tensor] = weights
    return found


def encode_weights(weights: Mapping[str, Tensor]) -> bytes:
    """A file of PyTorch with tensors alone."""
    content = io.BytesIO()
    torch.save(dict(weights), content)
    return content.getvalue()


def load_weights(model: torch.nn.Module, path: Path) -> None:
    """Put weights from a file into a network.

    Raises:
        InvalidInputError: no tensors alone, or those of another network; the first that differs is named.
    """
    weights = read_named(path)
    check_same(weights, model, path)
    model.load_state_dict(weights)
