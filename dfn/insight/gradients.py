"""How the gradient flows back: how much of it comes along paths of each length, and what every block hands back.

The Jacobian of a fused net is a product of sums, J = (J_deep + J_shallow) ... (J_deep + J_shallow); multiplied out it
has one term for every path. `gradient_by_length` gathers the terms by the number of layers on their paths. Batch norm
is taken as in eval mode, a fixed scale and shift, so the terms add up to autograd's gradient; being vectors they may
cancel, so their norms need not add up to its norm.

What a path is at each join: through `sum` and `mean` every branch passes its share on, through `concat` its channels,
through `max` the places where it was the largest. The weights of a `gate` depend on the fusion's input through a conv
of their own; that way counts no layers, as all joins do, and makes a gated net's shortest lengths.
"""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import one_hot

from dfn.insight.subject import Target, checked_images, checked_target, own_copy, refusal, top_fusions
from dfn.insight.tape import Tape
from dfn.models.build import FusedNet

Of = Literal["logit", "loss"]


def gradient_by_length(net: FusedNet, x: Tensor, target: Target) -> dict[int, Tensor]:
    """The part of d logit[target] / d x that comes along paths of each length, from the deepest to the shallowest.

    `x` is (N, C, H, W), normalised; every part has its shape and the parts sum to autograd's gradient in eval mode.
    Lengths count layers as `dfn.path_spectrum` does. Costs about F^2 backward steps for F fusions instead of 2^F.
    Works for chains and for fusions inside fusions. Raises ValueError. (Paths after arXiv 1605.06431.)
    """
    net = own_copy(net)
    x = checked_images(net, x)
    target = checked_target(net, target, len(x))
    tape = Tape(net, x)
    cotangent = one_hot(target, net.design.classes).to(x.dtype)
    parts = tape.sweep(cotangent, 0, lambda length, step: length + step.layers)[0]
    return dict(sorted(parts.items(), reverse=True))


@dataclass(frozen=True)
class HandedBack:
    """The gradient at one fusion, as norms: what reaches the joined map, what each block hands back to the map that
    it reads, and all that comes back to the fusion's input (with what a gate's own conv hands back). Where blocks agree
    the total is their sum, where they cancel it is less."""

    fusion: str
    received: float
    blocks: dict[str, float]
    total: float


@dataclass(frozen=True)
class Flow:
    """Norms of the gradient at every named map, from stem to last fusion, and what every fusion hands back; each is
    the mean over images of the norm over all values of the map."""

    places: dict[str, float]
    fusions: tuple[HandedBack, ...]


def gradient_flow(net: FusedNet, x: Tensor, target: Target, of: Of = "loss") -> Flow:
    """How strong the gradient of the target's logit, or of its cross-entropy, is at every map of the net.

    `x` is (N, C, H, W), normalised. In eval mode. Raises ValueError.
    """
    net = own_copy(net)
    x = checked_images(net, x)
    wanted = one_hot(checked_target(net, target, len(x)), net.design.classes).to(x.dtype)
    tape = Tape(net, x)
    match of:
        case "logit":
            cotangent = wanted
        case "loss":
            cotangent = tape.values[tape.logits].softmax(1) - wanted
        case _:
            raise refusal("of", of, "logit or loss")
    gradients = [found.get(0) for found in tape.sweep(cotangent, 0, lambda kind, step: kind)]

    def norm(place: int) -> float:
        gradient = gradients[place]
        return 0.0 if gradient is None else gradient.flatten(1).norm(dim=1).mean().item()

    fusions = []
    for fused in top_fusions(net):
        blocks = {lane: tape.entries[f"{fused.name}/{lane}"] for lane in fused.branches}
        fusions.append(
            HandedBack(
                fused.name,
                received=norm(tape.places[f"{fused.name}/joined"]),
                blocks={lane: norm(place) for lane, place in blocks.items()},
                total=norm(tape.sources[fused.name]),
            )
        )
    return Flow({name: norm(place) for name, place in tape.places.items() if name != "logits"}, tuple(fusions))
