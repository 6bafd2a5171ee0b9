"""What is minimised."""

from typing import assert_never

from torch import Tensor
from torch.nn.functional import cross_entropy

from dfn.models.build import Fused, FusedNet
from dfn.training.recipe import Recipe


def loss_and_logits(net: FusedNet, x: Tensor, y: Tensor, recipe: Recipe) -> tuple[Tensor, Tensor]:
    """The loss in nats and the logits (N, classes) of a batch.

    `mean-of-losses` is decision fusion as arXiv 1605.07716 (section 2) describes it: the mean of the losses of the
    nets, which share nothing, while their averaged logits decide.
    """
    match recipe.objective:
        case "cross-entropy":
            logits = net(x)
            return cross_entropy(logits, y), logits
        case "mean-of-losses":
            logits, trace = net.trace(x)
            name, last = list(net.body.named_children())[-1]
            assert isinstance(last, Fused)
            nets = [trace[f"{name}/{lane}"] for lane in last.branches]
            total = cross_entropy(nets[0], y)
            for other in nets[1:]:
                total = total + cross_entropy(other, y)
            return total / len(nets), logits
        case _:
            assert_never(recipe.objective)
