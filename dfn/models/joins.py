"""The fusion functions as modules: how the maps of the branches become one.

`forward(source, *branches)` takes the fusion's input and the K maps; during training a join may drop branches of
single images. The rule for every join is that what remains counts as much as all branches would: a dropped sum is K
times the mean of the branches that stay, a mean is their mean, weights are renormalised over them.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import assert_never

import torch
from torch import Tensor, nn

from dfn.design.cost import ADAPTIVE_HIDDEN, Layer
from dfn.design.nodes import Fusion

VARIANCE_EPS = 2e-5


class Join(nn.Module, ABC):
    """Base of the joins. `drop_path` is the chance of a branch to be dropped for one image in training; the branch
    with the largest draw always stays (local drop-path, arXiv 1605.07648, section 3.1). `only` is the one branch that
    stays for the whole mini-batch where the net keeps one column alone (global drop-path, same section)."""

    def __init__(self, drop_path: float = 0.0):
        super().__init__()
        self.drop_path = drop_path
        self.only: int | None = None

    def keep(self, branches: tuple[Tensor, ...]) -> Tensor | None:
        """Which branches stay, (K, images, 1, ...) of ones and zeros; None where nothing is dropped."""
        if not self.training or (self.only is None and not self.drop_path):
            return None
        first = branches[0]
        if self.only is None:
            draws = torch.rand(len(branches), first.shape[0], device=first.device)
            stays = (draws > self.drop_path) | (draws == draws.amax(0))
        else:
            stays = torch.zeros(len(branches), first.shape[0], device=first.device)
            stays[self.only] = 1
        return stays.to(first.dtype).view(*stays.shape, *[1] * (first.dim() - 1))

    def averaged(self, weights: Sequence[Tensor], branches: tuple[Tensor, ...]) -> Tensor:
        """sum_k w_k b_k for weights that sum to 1; where branches are dropped, over the weights that stay."""
        keep = self.keep(branches)
        if keep is None:
            return added(_products(weights, branches))
        weights = _products(weights, keep.unbind())
        total = added(weights).clamp_min(torch.finfo(weights[0].dtype).tiny)
        return added(_products(weights, branches)) / total

    def rotate(self) -> None:
        """Let what belongs to a branch follow it when the branches are rotated by one place."""

    @abstractmethod
    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        """The joined map of the branches' maps; `source` is the fusion's input."""


class Sum(Join):
    """sum_k b_k, the paper's join (arXiv 1605.07716, section 2); with `scales` s the sum of s_k b_k."""

    def __init__(self, drop_path: float = 0.0, scales: Sequence[float] = ()):
        super().__init__(drop_path)
        self.scales = tuple(scales)

    def rotate(self) -> None:
        self.scales = (*self.scales[1:], *self.scales[:1])

    def extra_repr(self) -> str:
        return f"scales={self.scales}" if self.scales else ""

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        if self.scales:
            branches = _products(self.scales, branches)
        keep = self.keep(branches)
        if keep is None:
            return added(branches)
        return _mean_of_kept(branches, keep) * len(branches)


class Weighted(Sum):
    """sum_k w_k b_k with one learned number a branch, any real number; all begin at 1, as a sum (ours)."""

    def __init__(self, branches: int, drop_path: float = 0.0):
        super().__init__(drop_path)
        self.weight = nn.Parameter(torch.ones(branches))

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        return super().forward(source, *_products(self.weight.unbind(), branches))


class Mean(Join):
    """sum_k b_k / K, the join of MV3D (arXiv 1611.07759) and of averaged predictors."""

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        keep = self.keep(branches)
        if keep is None:
            return added(branches) / len(branches)
        return _mean_of_kept(branches, keep)


class Max(Join):
    """max_k b_k, element by element."""

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        stacked = torch.stack(branches)
        keep = self.keep(branches)
        if keep is not None:
            stacked = stacked.masked_fill(keep == 0, float("-inf"))
        return stacked.amax(0)


class Concat(Join):
    """[b_1; ...; b_K], the channels side by side (deep concatenation fusion)."""

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        keep = self.keep(branches)
        if keep is None:
            return torch.cat(branches, 1)
        scale = len(branches) / keep.sum(0)
        return torch.cat([b * k * scale for b, k in zip(branches, keep, strict=True)], 1)


class Gate(Join):
    """sum_k w_k b_k with weights that sum to one, computed from the fusion's input by a 3x3 conv and a softmax in
    which the last branch has logit 0. For K = 2 this is sigmoid(conv(x)) and its complement: the highway gate
    (arXiv 1507.06228, equation 3)."""

    def __init__(
        self, in_channels: int, channels: int, branches: int, stride: int, drop_path: float = 0.0, bias: float = -2.0
    ):
        super().__init__(drop_path)
        self.channels, self.bias = channels, bias
        self.conv = nn.Conv2d(in_channels, (branches - 1) * channels, 3, stride, padding=1)

    def weights(self, source: Tensor) -> Tensor:
        """The weights of the branches, (images, K, channels, rows, columns); over K they sum to 1."""
        logits = self.conv(source)
        logits = logits.view(logits.shape[0], -1, self.channels, *logits.shape[2:])
        return torch.cat([logits, torch.zeros_like(logits[:, :1])], 1).softmax(1)

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        return self.averaged(self.weights(source).unbind(1), branches)


class Adaptive(Join):
    """sum_k w_k b_k with one weight for each image and branch, from 0 to 1 and over k summing to 1: a softmax over a
    small net of two linear layers, which reads the pooled maps of all branches, or their logits (adaptive multi-column
    networks predict the weights of their columns from the columns' features; the size of this net is ours)."""

    def __init__(self, channels: int, branches: int, drop_path: float = 0.0):
        super().__init__(drop_path)
        self.first = nn.Linear(branches * channels, ADAPTIVE_HIDDEN)
        self.relu = nn.ReLU()
        self.second = nn.Linear(ADAPTIVE_HIDDEN, branches)

    def weights(self, *branches: Tensor) -> Tensor:
        """The weights of the branches, (images, K)."""
        pooled = torch.cat([b.flatten(2).mean(2) if b.dim() == 4 else b for b in branches], 1)
        return self.second(self.relu(self.first(pooled))).softmax(1)

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        weights = self.weights(*branches).view(-1, len(branches), *[1] * (branches[0].dim() - 1))
        return self.averaged(weights.unbind(1), branches)


class InverseVariance(Join):
    """sum_k w_k b_k with w_k = (1 / v_k) / sum_j (1 / v_j), v_k the running variance of each channel of branch k. The
    best linear average of independent measurements of one quantity, v_k being the variances of their errors; here v_k
    is the variance of all that a block says, of which nobody knows how much is error (ours)."""

    def __init__(self, channels: int, branches: int, drop_path: float = 0.0):
        super().__init__(drop_path)
        # torch's own running statistics: batch norms whose output nobody reads
        self.seen = nn.ModuleList(nn.BatchNorm2d(channels, affine=False) for _ in range(branches))

    def rotate(self) -> None:
        self.seen = nn.ModuleList([*self.seen[1:], self.seen[0]])

    def weights(self) -> Tensor:
        """The weights of the branches, (K, channels); over K they sum to 1."""
        precision = torch.stack([1 / (seen.running_var + VARIANCE_EPS) for seen in self.seen])  # pyright: ignore
        return precision / precision.sum(0)

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        for seen, b in zip(self.seen, branches, strict=True):
            if seen.training:
                seen(b.detach().view(*b.shape[:2], *(b.shape[2:] or (1, 1))))
        shape = (1, -1, *[1] * (branches[0].dim() - 2))
        return self.averaged([w.to(branches[0].dtype).view(shape) for w in self.weights()], branches)


def make_join(fusion: Fusion, layer: Layer) -> Join:
    """The module of a fusion's join; `layer` knows the shapes around it."""
    match fusion.join:
        case "sum":
            return Sum(fusion.drop_path, fusion.scales)
        case "mean":
            return Mean(fusion.drop_path)
        case "max":
            return Max(fusion.drop_path)
        case "concat":
            return Concat(fusion.drop_path)
        case "gate":
            stride = layer.after.stride // layer.before.stride
            shape = layer.before.channels, layer.after.channels, len(fusion.branches), stride
            return Gate(*shape, fusion.drop_path, fusion.gate_bias)
        case "weighted":
            return Weighted(len(fusion.branches), fusion.drop_path)
        case "adaptive":
            return Adaptive(layer.after.channels, len(fusion.branches), fusion.drop_path)
        case "inverse-variance":
            return InverseVariance(layer.after.channels, len(fusion.branches), fusion.drop_path)
        case _:
            assert_never(fusion.join)


def added(maps: Sequence[Tensor]) -> Tensor:
    """The sum of maps, from the first to the last."""
    total = maps[0]
    for other in maps[1:]:
        total = total + other
    return total


def _products(factors: Iterable[Tensor | float], maps: Iterable[Tensor]) -> tuple[Tensor, ...]:
    return tuple(factor * one for factor, one in zip(factors, maps, strict=True))


def _mean_of_kept(branches: tuple[Tensor, ...], keep: Tensor) -> Tensor:
    kept = added(tuple(b * k for b, k in zip(branches, keep, strict=True)))
    return kept / keep.sum(0)
