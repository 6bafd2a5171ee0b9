"""Objectives that supervise a net at more than its last layer."""

from itertools import repeat

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dfn.models.build import Fused, FusedNet
from dfn.models.initialise import initialise
from dfn.training.objectives.objective import Objective
from dfn.training.places import places
from dfn.training.recipe import Recipe

COMPANION_WEIGHT = 0.1


class LossesApart(Objective):
    """The mean, or the sum, of the losses of whole nets that meet only in their logits (arXiv 1605.07716, section 2).

    The sum trains every net as if it were alone: their parameters are disjoint, so that each gets the gradient of its
    own loss. The mean gives each a K-th of it, which is the same training at K times the learning rate and a K-th of
    the weight decay; with a clipped norm of the joint gradient, or a step that is not linear in the gradient, neither
    is the same any more.
    """

    def __init__(self, *, mean: bool):
        super().__init__()
        self.mean = mean

    def forward(self, net: FusedNet, x: Tensor, y: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        logits, trace = net.trace(x)
        losses = losses_inside(trace, y)
        total = add(losses)
        return total / len(losses) if self.mean else total, logits


class SideOutputs(Objective):
    """The loss of the joint logits and, with equal weight, of every classifier on the way (holistically-nested side
    outputs, arXiv 1504.06375)."""

    def forward(self, net: FusedNet, x: Tensor, y: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        logits, trace = net.trace(x)
        return add([cross_entropy(logits, y), *losses_inside(trace, y)]), logits


class CompanionLosses(Objective):
    """The net's loss and, with a weight that falls to 0, the losses of small classifiers at its places
    (deeply-supervised nets, arXiv 1409.5185).

    The weight is 0.1 (1 - t / T) at step t and 0 from T on, where T is `companion_share` of the steps; this schedule
    is ours. A companion is a classifier like the net's own: average pooling, one linear layer, a softmax loss.
    """

    def __init__(self, recipe: Recipe):
        super().__init__()
        self.share = recipe.companion_share
        heads = {
            name: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, recipe.design.classes))
            for name, channels in places(recipe.design).items()
        }
        self.heads = nn.ModuleDict(heads)
        initialise(self, seed=recipe.seed)

    def forward(self, net: FusedNet, x: Tensor, y: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        if progress >= self.share:
            logits = net(x)
            return cross_entropy(logits, y), logits
        logits, trace = net.trace(x)
        companions = add([cross_entropy(head(trace[name]), y) for name, head in self.heads.items()])
        return cross_entropy(logits, y) + COMPANION_WEIGHT * (1 - progress / self.share) * companions, logits


class AuxiliaryPaths(Objective):
    """The mean of the losses of the fused net and of each of its base networks alone, which shares its weights
    (MV3D, arXiv 1611.07759; all losses count the same). The base networks are absent at test."""

    def forward(self, net: FusedNet, x: Tensor, y: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        logits = net(x)
        alone = [cross_entropy(base, y) for base in base_logits(net, x)]
        return add([cross_entropy(logits, y), *alone]) / (1 + len(alone)), logits


def base_logits(net: FusedNet, x: Tensor) -> list[Tensor]:
    """The logits (N, classes) of every base network of a chain of fusions, one block at each fusion and no join."""
    outputs: list[Tensor] | None = None
    for module in net.body.children():
        if isinstance(module, Fused):
            blocks = list(module.branches.values())
            inputs = outputs or repeat(x, len(blocks))
            outputs = [module.relu(block(map)) for block, map in zip(blocks, inputs, strict=False)]
        elif outputs is None:
            x = module(x)
        else:
            outputs = [module(map) for map in outputs]
    return outputs or [x]


def losses_inside(trace: dict[str, Tensor], y: Tensor) -> list[Tensor]:
    """The loss of every classifier inside a branch."""
    return [cross_entropy(logits, y) for name, logits in trace.items() if name.endswith("/logits")]


def add(losses: list[Tensor]) -> Tensor:
    """The sum of scalars, in their order."""
    total = losses[0]
    for other in losses[1:]:
        total = total + other
    return total
