"""The fusion functions as modules: how the maps of the branches become one.

`forward(source, *branches)` takes the fusion's input and the K maps; during training a join may drop branches of
single images. The rule for every join is that what remains counts as much as all branches would: a dropped sum is K
times the mean of the branches that stay, a mean is their mean, weights are renormalised over them.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import assert_never

import torch
from torch import Tensor, nn

from dfn.design.cost import Layer
from dfn.design.nodes import Fusion


class Join(nn.Module, ABC):
    """Base of the joins. `drop_path` is the chance of a branch to be dropped for one image in training; the branch
    with the largest draw always stays (local drop-path, arXiv 1605.07648, section 3.1)."""

    def __init__(self, drop_path: float = 0.0):
        super().__init__()
        self.drop_path = drop_path

    def keep(self, branches: tuple[Tensor, ...]) -> Tensor | None:
        """Which branches stay, (K, images, 1, ...) of ones and zeros; None where nothing is dropped."""
        if not (self.training and self.drop_path):
            return None
        first = branches[0]
        draws = torch.rand(len(branches), first.shape[0], device=first.device)
        stays = (draws > self.drop_path) | (draws == draws.amax(0))
        return stays.to(first.dtype).view(*draws.shape, *[1] * (first.dim() - 1))

    @abstractmethod
    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        """The joined map of the branches' maps; `source` is the fusion's input."""


class Sum(Join):
    """sum_k b_k, the paper's join (arXiv 1605.07716, section 2)."""

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        keep = self.keep(branches)
        if keep is None:
            return added(branches)
        return _mean_of_kept(branches, keep) * len(branches)


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

    def __init__(self, in_channels: int, channels: int, branches: int, stride: int, drop_path: float = 0.0):
        super().__init__(drop_path)
        self.channels = channels
        self.conv = nn.Conv2d(in_channels, (branches - 1) * channels, 3, stride, padding=1)

    def weights(self, source: Tensor) -> Tensor:
        """The weights of the branches, (images, K, channels, rows, columns); over K they sum to 1."""
        logits = self.conv(source)
        logits = logits.view(logits.shape[0], -1, self.channels, *logits.shape[2:])
        return torch.cat([logits, torch.zeros_like(logits[:, :1])], 1).softmax(1)

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        weights = self.weights(source).unbind(1)
        keep = self.keep(branches)
        if keep is None:
            return added(tuple(w * b for w, b in zip(weights, branches, strict=True)))
        weights = tuple(w * k for w, k in zip(weights, keep, strict=True))
        total = added(weights).clamp_min(torch.finfo(weights[0].dtype).tiny)
        return added(tuple(w * b for w, b in zip(weights, branches, strict=True))) / total


def make_join(fusion: Fusion, layer: Layer) -> Join:
    """The module of a fusion's join; `layer` knows the shapes around it."""
    match fusion.join:
        case "sum":
            return Sum(fusion.drop_path)
        case "mean":
            return Mean(fusion.drop_path)
        case "max":
            return Max(fusion.drop_path)
        case "concat":
            return Concat(fusion.drop_path)
        case "gate":
            stride = layer.after.stride // layer.before.stride
            return Gate(layer.before.channels, layer.after.channels, len(fusion.branches), stride, fusion.drop_path)
        case _:
            assert_never(fusion.join)


def added(maps: Sequence[Tensor]) -> Tensor:
    """The sum of maps, from the first to the last."""
    total = maps[0]
    for other in maps[1:]:
        total = total + other
    return total


def _mean_of_kept(branches: tuple[Tensor, ...], keep: Tensor) -> Tensor:
    kept = added(tuple(b * k for b, k in zip(branches, keep, strict=True)))
    return kept / keep.sum(0)
