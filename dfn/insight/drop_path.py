"""What drop-path does in a step of training: which branches stay, image by image."""

from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor, nn

from dfn.insight.subject import checked_images, own_copy
from dfn.models.build import Fused, FusedNet
from dfn.models.joins import Mean, Sum, Weighted

Kept = dict[str, dict[str, list[bool]]]


def kept_branches(net: FusedNet, x: Tensor, seed: int = 0) -> Kept:
    """By fusion and branch, whether a step of training keeps the branch for each of the images x (N, C, H, W).

    Read off from what the joins gave, so that it holds for every way of drawing: what stays counts as much as all
    branches would. For the joins sum and mean; others, and joins that drop nothing, are left out. The net itself and
    torch's global random numbers are left alone. Raises ValueError.
    """
    copy = own_copy(net)
    x = checked_images(copy, x)
    found: Kept = {}

    def noting(fused: Fused) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def note(join: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            stays = _stays(join, torch.stack(inputs[1:]), output)
            found[fused.name] = dict(zip(fused.branches, stays.T.tolist(), strict=True))

        return note

    for module in list(copy.modules()):
        if isinstance(module, Fused) and _drops(module.join):
            module.join.register_forward_hook(noting(module))
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        copy.train()(x)
    return found


def _drops(join: nn.Module) -> bool:
    return isinstance(join, Sum | Mean) and not isinstance(join, Weighted) and bool(join.drop_path)


def _stays(join: nn.Module, branches: Tensor, output: Tensor) -> Tensor:
    """(N, K): of all choices of branches (K, N, ...) the one whose join comes nearest to the output (N, ...)."""
    scales, whole = branches.new_ones(len(branches)), 1.0
    if isinstance(join, Sum):
        scales, whole = branches.new_tensor(join.scales or [1.0] * len(branches)), float(len(branches))
    choices = torch.tensor([choice for choice in product([False, True], repeat=len(branches)) if any(choice)])
    weights = whole * choices.to(branches) / choices.sum(1, keepdim=True) * scales
    joined = torch.einsum("ck,kn...->cn...", weights, branches)
    nearest = (joined - output).abs().flatten(2).amax(2).argmin(0)
    return choices[nearest]
