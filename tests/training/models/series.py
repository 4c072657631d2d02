"""Series that models learn in tests: two classes that differ in when they are green."""

from __future__ import annotations

import torch

DAYS = 17_532  # 2018-01-01


def batch(count: int = 12, time: int = 8, bands: int = 3, seed: int = 0) -> dict[str, torch.Tensor]:
    """Series with gaps, half of each class, as a collated batch."""
    draw = torch.Generator().manual_seed(seed)
    image = torch.randn(count, time, bands, generator=draw) * 0.3
    label = torch.arange(count) % 2
    image[label == 1, time // 2 :, 0] += 2
    image[label == 0, : time // 2, 0] += 2
    dates = DAYS + 30 * torch.arange(time).expand(count, time)
    valid = torch.rand(count, time, generator=draw) > 0.2
    valid[:, 0] = valid[:, -1] = True
    return {"image": image, "dates": dates, "valid": valid, "label": label}


def images(count: int = 2, time: int = 4, size: int = 12, bands: int = 2, seed: int = 0) -> dict[str, torch.Tensor]:
    """Images with gaps, whose left and right halves are of another class, as a collated batch."""
    draw = torch.Generator().manual_seed(seed)
    image = torch.randn(count, time, bands, size, size, generator=draw) * 0.3
    image[..., size // 2 :] += torch.tensor([1.0, -1.0]).repeat(time)[:time, None, None, None]
    mask = torch.zeros(count, size, size, dtype=torch.int64)
    mask[..., size // 2 :] = 1
    mask[:, 0] = -1
    valid = torch.rand(count, time, size, size, generator=draw) > 0.1
    dates = DAYS + 60 * torch.arange(time).expand(count, time)
    return {"image": image, "dates": dates, "valid": valid, "mask": mask}


def padded(data: dict[str, torch.Tensor], more: int) -> dict[str, torch.Tensor]:
    """The same with timesteps behind it, of any values and not valid."""
    image, dates, valid = data["image"], data["dates"], data["valid"]
    count = len(image)
    return data | {
        "image": torch.cat([image, torch.full((count, more, *image.shape[2:]), 7.0)], dim=1),
        "dates": torch.cat([dates, torch.zeros(count, more, dtype=torch.int64)], dim=1),
        "valid": torch.cat([valid, torch.zeros(count, more, *valid.shape[2:], dtype=torch.bool)], dim=1),
    }


def learn(model: torch.nn.Module, data: dict[str, torch.Tensor], target: str, steps: int = 60) -> float:
    """Train on one batch alone; the share of right answers afterwards, of those that have one."""
    from landloom.training.losses import LossSettings, class_loss

    torch.manual_seed(0)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        logits = model(data["image"], data["dates"], data["valid"])
        torch.autograd.backward(class_loss(logits, data[target], torch.ones(len(logits)), LossSettings()))
        optimizer.step()
    model.eval()
    with torch.no_grad():
        found = model(data["image"], data["dates"], data["valid"]).argmax(dim=1)
    known = data[target] >= 0
    return float((found == data[target])[known].float().mean())
