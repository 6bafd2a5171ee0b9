"""Path-SGD: steps that do not change when the weights of a ReLU net are rescaled (arXiv 1506.02617).

The path norm phi^2 is the sum over all ways from input to output of the product of the squared weights on them. The
net with squared weights computes it when it is fed ones, and kappa = d phi^2 / d w^2 is what a weight's gradient is
divided by. Multiplying the way into a hidden unit by c and dividing the way out by c leaves function and phi alone,
divides the gradient of the way in by c and its kappa by c^2, so that the step is multiplied by c like the weight.

Batch norm is taken as its scale and shift alone, with mean 0 and variance 1. Rescaling its scale and what follows is
still without effect; but a conv in front of a norm may have any size without a change in the function, which phi does
not know, so that there the method is a heuristic. Fixed weights (of a mean, of pooling) are common to all paths of a
chain and only change the constant below.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from dfn.models.build import FusedNet


class PathScaling(nn.Module):
    """Divides the gradients of a net by kappa, and multiplies all of them by one constant: the ratio of the gradient's
    norm to that of gradient / kappa at the first step, so that a learning rate means about what it means elsewhere.
    `shape` is that of the images, (C, H, W)."""

    constant: Tensor

    def __init__(self, net: FusedNet, shape: tuple[int, int, int]):
        super().__init__()
        device = next(net.parameters()).device
        self.register_buffer("constant", torch.zeros((), dtype=torch.float64, device=device))
        squared = deepcopy(net).double().eval()  # phi grows by a factor a layer: float32 would not hold it
        for module in squared.modules():
            if (
                isinstance(module, nn.BatchNorm2d)
                and module.running_mean is not None
                and module.running_var is not None
            ):
                module.running_mean.zero_()
                module.running_var.fill_(1 - module.eps)
        # in a tuple: these follow from the net and are no state of their own
        self._fixed = (squared, torch.ones(1, *shape, dtype=torch.float64, device=device))

    def kappa(self, net: FusedNet) -> list[Tensor]:
        """kappa of every parameter, in their order, in double precision."""
        squared, ones = self._fixed
        with torch.no_grad():
            for mine, parameter in zip(squared.parameters(), net.parameters(), strict=True):
                mine.copy_(parameter.double().square())
        return list(torch.autograd.grad(squared(ones).sum(), list(squared.parameters())))

    def scale_gradients(self, net: FusedNet) -> None:
        """Replace the gradients that the parameters hold; a weight on no way to the output keeps the gradient 0."""
        kappa = self.kappa(net)
        with torch.no_grad():
            own = [(p.grad, k) for p, k in zip(net.parameters(), kappa, strict=True) if p.grad is not None]
            scaled = [torch.where(k > 0, grad.double() / k, 0.0) for grad, k in own]
            if self.constant == 0:
                before, after = (get_total_norm(gradients).double() for gradients in ([g for g, _ in own], scaled))
                self.constant.copy_(before / after)
            for (grad, _), new in zip(own, scaled, strict=True):
                grad.copy_(new * self.constant)
