"""How the weights of a net begin.

Convs after He (normal, variance 2 / fan-in), the classifier uniform within 1 / sqrt(fan-in), biases 0, as in the
group's own code (zlmzju/fusenet: Xavier(gaussian, in, 2) and Xavier(uniform, in, 1)). A gate starts at bias -2, so that
at first the last branch is carried through (arXiv 1507.06228, section 2.3).
"""

import math

import torch
from torch import nn

from dfn.models.joins import Gate

GATE_BIAS = -2.0


@torch.no_grad()
def he(net: nn.Module, seed: int) -> None:
    """Initialise every conv, gate and classifier of `net` in place, in the order of its modules; the same seed
    gives the same bits on one machine and leaves torch's global random numbers alone."""
    generator = torch.Generator().manual_seed(seed)
    for module in net.modules():
        match module:
            case nn.Conv2d():
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            case nn.Linear():
                bound = 1 / math.sqrt(module.in_features)
                nn.init.uniform_(module.weight, -bound, bound, generator=generator)
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
    for module in net.modules():
        if isinstance(module, Gate) and module.conv.bias is not None:
            nn.init.constant_(module.conv.bias, GATE_BIAS)
