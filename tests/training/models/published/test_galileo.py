"""Galileo-nano against the authors' program."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.training.models.published.oracle import documents, inputs, weights

from landloom.training.models.published.galileo import Galileo, single_pixel

DOCUMENT = documents()["galileo-nano"]


@pytest.mark.parametrize("number", range(len(DOCUMENT["cases"])))
def test_embeddings_equal_those_of_the_authors(number: int) -> None:
    case = DOCUMENT["cases"][number]
    told, made = inputs(case), Galileo().eval()
    made.load_state_dict(weights(DOCUMENT["shapes"]))
    with torch.inference_mode():
        found = made(told.groups, told.months, told.place)
    torch.testing.assert_close(found, torch.tensor(case["embeddings"]), rtol=0, atol=1e-5)


def test_kernels_are_resized_by_least_squares() -> None:
    """Beyer et al. 2023, section 3.3: the pseudo-inverse of the matrix that resizes a patch."""
    kernel = weights(DOCUMENT["shapes"])["space_time_embed.S2_RGB.proj.weight"]
    each = torch.eye(64).view(64, 1, 8, 8)
    resize = torch.nn.functional.interpolate(each, (1, 1), mode="bicubic", antialias=True).view(64, 1)
    expected, *_ = np.linalg.lstsq(resize.numpy(), kernel.view(-1, 64).numpy().T, rcond=None)
    np.testing.assert_allclose(single_pixel(kernel).view(-1), expected[0], atol=1e-5)
