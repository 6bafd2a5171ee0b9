"""What is measured on a net in training: evaluation with recalibrated batch-norm statistics, maps, norms.

Running statistics lag behind weights that move fast: after the first epoch they can read as chance while the net has
learnt (measured in docs/architecture.md). So they are averaged anew over training images before every evaluation,
and the net keeps them. Training itself never reads them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import get_total_norm

from dfn.data import Dataset, Split, evaluation_batches
from dfn.models.build import FusedNet
from dfn.training.records import Norms

CALIBRATION_IMAGES = 512
PROBE_IMAGES = 8


@dataclass(frozen=True)
class Result:
    """Mean loss in nats, accuracy from 0 to 1, and `counts[true class][called class]`."""

    loss: float
    accuracy: float
    confusion: Tensor


def calibration_images(data: Dataset, batch_size: int, device: torch.device) -> list[Tensor]:
    """A fixed choice of training images, normalised, in whole batches (N, C, H, W)."""
    count = min(len(data.train), CALIBRATION_IMAGES)
    size = min(batch_size, count)
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))[: count // size * size]
    images = data.normalise(data.train.images[order.to(data.train.images.device)].to(device))
    return list(images.contiguous(memory_format=torch.channels_last).split(size))


@torch.no_grad()
def recalibrate(net: FusedNet, batches: list[Tensor]) -> None:
    """Replace the running statistics of every batch norm by the mean over these batches, in place; dropout and
    drop-path are off meanwhile, and the net is left in eval mode."""
    net.eval()
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms:
        return
    momentum = norms[0].momentum
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over all batches
        norm.train()
    for batch in batches:
        net(batch)
    for norm in norms:
        norm.momentum = momentum
        norm.eval()


@torch.no_grad()
def evaluate(net: FusedNet, data: Dataset, device: torch.device, split: Split | None = None) -> Result:
    """Loss, accuracy and confusion on a split, the test split by default, in eval mode."""
    net.eval()
    classes = net.design.classes
    loss = torch.zeros((), device=device)
    confusion = torch.zeros(classes * classes, dtype=torch.long, device=device)
    split = split or data.test
    for x, y in evaluation_batches(data, split, device=device):
        logits = net(x).float()
        loss += cross_entropy(logits, y, reduction="sum")
        confusion += torch.bincount(y * classes + logits.argmax(1), minlength=classes * classes)
    confusion = confusion.view(classes, classes).cpu()
    count = len(split)
    return Result(loss.item() / count, int(confusion.trace()) / count, confusion)


@torch.no_grad()
def map_statistics(net: FusedNet, probe: Tensor) -> dict[str, tuple[float, float, float]]:
    """Mean, standard deviation and share of zeros of every named map for the probe images, in eval mode."""
    net.eval()
    _, trace = net.trace(probe)
    maps = [t.float() for t in trace.values()]
    rows = torch.stack([torch.stack((t.mean(), t.std(correction=0), (t == 0).float().mean())) for t in maps])
    return {name: (m, s, z) for name, (m, s, z) in zip(trace, rows.tolist(), strict=True)}


@torch.no_grad()
def measure_norms(net: FusedNet, before: dict[nn.Parameter, Tensor], step: int) -> Norms:
    """Norms by place of gradients, weights and of what the step changed; `before` are the weights before it."""
    groups = net.parameter_groups()
    norms = torch.stack(
        [
            torch.stack(
                (
                    get_total_norm([torch.zeros_like(p) if p.grad is None else p.grad for p in group]),
                    get_total_norm(group),
                    get_total_norm([p - before[p] for p in group]),
                )
            )
            for group in groups.values()
        ]
    )
    gradient, weight, update = (dict(zip(groups, column, strict=True)) for column in norms.T.tolist())
    return Norms(step, gradient, weight, update)
