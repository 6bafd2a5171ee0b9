"""Attribution by branch: how much of the integrated gradients of the image comes through each block of one fusion.

A path takes exactly one block at a fusion, so along the way from the baseline the gradient is the sum of the gradients
through each block, and so are their integrals. The parts are computed on our own tape and the whole by Captum, over
the same steps; what is left between them is a test that both can fail.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from dfn.insight.attribution import Attribution, attribute, baseline_of
from dfn.insight.subject import Target, checked_images, fusion_of, own_copy
from dfn.insight.tape import Tape
from dfn.models.build import FusedNet

BATCH = 64
GATE = "gate"
ROUNDING = 1e-5


@dataclass(frozen=True, eq=False)
class ByBranch:
    """`parts` has for each base network the values (N, C, H, W) that come through its block, and under `gate` what
    comes through the weights of a gate; `whole` are the integrated gradients. `residual` is the largest norm of
    whole - sum of parts over the images, as a share of the norm of the whole."""

    parts: dict[str, Tensor]
    whole: Attribution
    residual: float


def attribute_by_branch(net: FusedNet, x: Tensor, target: Target, fusion: int, **options: Any) -> ByBranch:
    """Integrated gradients of the image restricted to the paths through each block of `fusion` (counted from 1).

    `x` is (N, C, H, W), normalised; `options` are those of `attribute`, steps and baseline. Where the rounding of
    float32 shows in the residual (points of the two ways on either side of a ReLU's kink), both are computed again in
    double precision. Raises ValueError.
    """
    found = _by_branch(net, x, target, fusion, **options)
    if found.residual > ROUNDING and checked_images(net, x).dtype == torch.float32:
        return _by_branch(own_copy(net).double(), x.double(), target, fusion, **options)
    return found


def _by_branch(net: FusedNet, x: Tensor, target: Target, fusion: int, **options: Any) -> ByBranch:
    fused = fusion_of(net, fusion)
    whole = attribute(net, x, target, "integrated_gradients", **options)
    assert isinstance(whole.target, Tensor) and whole.steps is not None
    copy = own_copy(net)
    x = checked_images(copy, x)
    start = baseline_of(copy, x, whole.options["baseline"])
    wanted = one_hot(whole.target, copy.design.classes).to(x.dtype)
    lanes = list(fused.branches.keys())
    parts = {lane: torch.zeros_like(x) for lane in lanes}
    for index, steps in enumerate(whole.steps.tolist()):
        middles = (torch.arange(steps, device=x.device, dtype=x.dtype) + 0.5) / steps
        way = start[index] + middles.view(-1, 1, 1, 1) * (x[index] - start[index])
        for points in way.split(BATCH):
            tape = Tape(copy, points)
            found = tape.sweep(
                wanted[index].expand(len(points), -1),
                GATE,
                lambda lane, step: step.block.rpartition("/")[2] if step.block.startswith(f"{fused.name}/") else lane,
            )[0]
            for lane, gradient in found.items():
                parts.setdefault(lane, torch.zeros_like(x))[index] += gradient.sum(0) / steps
    parts = {lane: part * (x - start) for lane, part in parts.items()}
    missing = (whole.values - torch.stack(list(parts.values())).sum(0)).flatten(1).norm(dim=1)
    size = whole.values.flatten(1).norm(dim=1)
    residual = torch.where(missing == 0, 0.0, missing / size).max().item()
    return ByBranch(parts, whole, residual)
