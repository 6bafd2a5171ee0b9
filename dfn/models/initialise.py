"""How the weights of a net begin.

Of every scheme: biases 0, and those of a gate as its fusion says. Weights, fan being the number of values that go into
(in) or come out of (out) one place of a layer:

- `he`: convs normal with variance 2 / fan-in, the classifier uniform within 1 / sqrt(fan-in), as in the group's own
  code (zlmzju/fusenet: Xavier(gaussian, in, 2) and Xavier(uniform, in, 1));
- `glorot`: normal with variance 2 / (fan-in + fan-out), gain 1;
- `orthogonal`: orthonormal rows or columns, with gain sqrt(2) for convs, whose ReLU halves the mean square (a gain of
  ours), and 1 for the classifier;
- `lsuv`: orthonormal, then layer by layer from the image on divided by the standard deviation of the layer's output on
  a batch of images, until its variance is within 0.02 of 1 (arXiv 1511.06422).
"""

import math
from typing import assert_never

import torch
from torch import Tensor, nn

from dfn.models.joins import Gate
from dfn.models.starts import Scheme

LSUV_TOLERANCE = 0.02
LSUV_ROUNDS = 20


@torch.no_grad()
def initialise(net: nn.Module, start: Scheme = "he", seed: int = 0, images: Tensor | None = None) -> None:
    """Begin every conv, gate and classifier of `net` (on the CPU) anew, in place, in the order of its modules; the
    same seed gives the same bits on one machine and leaves torch's global random numbers alone.

    `lsuv` needs `images`, a normalised batch (N, C, H, W), and sees them as evaluation does: without dropout, and a
    batch norm that has seen nothing hands on what comes. Raises ValueError without them.
    """
    if start == "lsuv" and images is None:
        raise ValueError("images: None is not accepted; accepted: a batch of normalised images, which lsuv looks at")
    generator = torch.Generator().manual_seed(seed)
    for module in net.modules():
        if not isinstance(module, nn.Conv2d | nn.Linear):
            continue
        weight, conv = module.weight, isinstance(module, nn.Conv2d)
        match start:
            case "he" if conv:
                nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
            case "he":
                bound = 1 / math.sqrt(weight.shape[1])
                nn.init.uniform_(weight, -bound, bound, generator=generator)
            case "glorot":
                nn.init.xavier_normal_(weight, generator=generator)
            case "orthogonal" | "lsuv":
                gain = math.sqrt(2) if conv and start == "orthogonal" else 1.0
                nn.init.orthogonal_(weight, gain, generator=generator)
            case _:
                assert_never(start)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    for module in net.modules():
        if isinstance(module, Gate) and module.conv.bias is not None:
            nn.init.constant_(module.conv.bias, module.bias)
    if start == "lsuv" and images is not None:
        _unit_variance(net, images)


class _Reached(Exception):
    """The layer that was waited for is about to see this."""

    def __init__(self, seen: Tensor):
        self.seen = seen


def _unit_variance(net: nn.Module, images: Tensor) -> None:
    training = net.training
    net.eval()
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            seen = input_of(module, net, images)
            for _ in range(LSUV_ROUNDS):
                variance = module(seen).var()
                if (variance - 1).abs() < LSUV_TOLERANCE or not variance > 0:  # a layer that sees nothing stays
                    break
                module.weight /= variance.sqrt()
    net.train(training)


def input_of(module: nn.Module, net: nn.Module, images: Tensor) -> Tensor:
    """What a layer sees of these images. The pass ends there: what lies behind has no part in it."""

    def reached(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        raise _Reached(inputs[0])

    with module.register_forward_pre_hook(reached):
        try:
            net(images)
        except _Reached as found:
            return found.seen
    raise AssertionError("every layer of a net has a part in its answer")
