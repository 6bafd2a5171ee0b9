"""What a net is like before and after training, layer by layer: how the signal's variance travels, and how learned
joins weigh their branches."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from dfn.insight.subject import checked_images, own_copy
from dfn.models.build import Chain, Fused, FusedNet, Step
from dfn.models.joins import Adaptive, Gate, InverseVariance, Weighted


@torch.no_grad()
def layer_variances(net: FusedNet, x: Tensor) -> dict[str, float]:
    """The variance of what every conv and the classifier give, over all values of the images x (N, C, H, W), before
    their norm and their ReLU, from the image on. Batch norms use the statistics of these very images, as in training;
    dropout and drop-path are off. Raises ValueError."""
    copy = own_copy(net)
    x = checked_images(copy, x)
    for module in copy.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train()
    found: dict[str, float] = {}

    def noting(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        return lambda _, __, output: found.update({name: output.float().var(correction=0).item()})

    for name, layer in _layers(copy):
        layer.register_forward_hook(noting(name))
    copy(x)
    return found


def _layers(net: FusedNet) -> list[tuple[str, nn.Module]]:
    """Every conv and classifier by its name in `dfn.design.cost.layers`."""
    found = []
    for owner in net.modules():
        children = owner.lines.named_children() if isinstance(owner, Step) else ()
        if isinstance(owner, Chain):
            children = owner.named_children()
        for child, module in children:
            if isinstance(module, nn.Sequential) and not isinstance(owner, nn.Sequential):
                layer = next(m for m in module if isinstance(m, nn.Conv2d | nn.Linear))
                found.append((f"{owner.name}/{child}" if owner.name else child, layer))
    return found


@torch.no_grad()
def branch_weights(net: FusedNet, x: Tensor) -> dict[str, dict[str, float]]:
    """By fusion and branch the mean weight that a join which weighs its branches gives them, over the images x
    (N, C, H, W), places and channels; other joins are left out. In eval mode. Raises ValueError."""
    copy = own_copy(net)
    x = checked_images(copy, x)
    found: dict[str, dict[str, float]] = {}

    def noting(fused: Fused) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def note(join: nn.Module, inputs: tuple[Tensor, ...], _: Tensor) -> None:
            source, *branches = inputs
            match join:
                case Gate():
                    weights = join.weights(source).mean((0, 2, 3, 4))
                case Adaptive():
                    weights = join.weights(*branches).mean(0)
                case InverseVariance():
                    weights = join.weights().mean(1)
                case Weighted():
                    weights = join.weight
                case _:
                    return
            found[fused.name] = dict(zip(fused.branches, weights.tolist(), strict=True))

        return note

    for module in list(copy.modules()):
        if isinstance(module, Fused):
            module.join.register_forward_hook(noting(module))
    copy(x)
    return found
