"""How much of what a map tells about an image is coarse evidence and how much is fine, where the truth is known.

The same scene is shown in every combination of a coarse factor (the shape of its object) and a fine one (the texture).
In such a balanced design the variance of every number of a map falls into parts that add up exactly: what goes with
the shape alone, with the texture alone, only with both together, and what differs from scene to scene (two-way analysis
of variance, R. A. Fisher, 1925).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from dfn.insight.subject import checked_images, own_copy, refusal
from dfn.models.build import FusedNet

IMAGE = "image"
BATCH = 36


@dataclass(frozen=True)
class Evidence:
    """Shares of the variance of one place of a net, summed over all its numbers; together they are 1. `coarse` goes
    with the coarse factor alone, `fine` with the fine one alone, `both` only with their combination, `scene` with all
    that is the same in the versions of a scene. NaN where nothing varies."""

    coarse: float
    fine: float
    both: float
    scene: float


def evidence(net: FusedNet, versions: Tensor) -> dict[str, Evidence]:
    """What the image and every map of the net, `logits` included, say of the coarse and of the fine factor.

    `versions` are normalised images (N, S, T, C, H, W): N scenes, each in S coarse and T fine versions, two or more of
    each. In eval mode; the answer of batch norm does not depend on who shares the batch. Raises ValueError.
    """
    accepted = "a float tensor (N, S, T, C, H, W), two or more of N, S and T"
    if not isinstance(versions, Tensor) or versions.dim() != 6 or min(versions.shape[:3]) < 2:
        given = tuple(versions.shape) if isinstance(versions, Tensor) else versions
        raise refusal("versions", given, accepted)
    scenes, coarse, fine = versions.shape[:3]
    copy = own_copy(net)
    x = checked_images(copy, versions.flatten(0, 2), "versions")
    found: dict[str, _Sums] = {}
    with torch.no_grad():
        at_once = max(1, BATCH // (coarse * fine))
        for batch in x.split(at_once * coarse * fine):
            logits, trace = copy.trace(batch)
            for name, values in {IMAGE: batch, **trace, "logits": logits}.items():
                found.setdefault(name, _Sums()).add(values.double().reshape(-1, coarse, fine, values[0].numel()))
    return {name: sums.shares(scenes) for name, sums in found.items()}


class _Sums:
    """Sums of squares, gathered batch by batch so that no more than one batch of maps is kept."""

    def __init__(self) -> None:
        self.means: Tensor | float = 0.0
        self.squares = self.coarse = self.fine = self.both = 0.0

    def add(self, values: Tensor) -> None:
        """Values (scenes, coarse, fine, numbers) of the place."""
        mean = values.mean((1, 2))
        rows = values.mean(2) - mean[:, None]
        columns = values.mean(1) - mean[:, None]
        rest = values - mean[:, None, None] - rows[:, :, None] - columns[:, None]
        self.means = self.means + mean.sum(0)
        versions = values.shape[1] * values.shape[2]
        self.squares += versions * mean.square().sum().item()
        self.coarse += values.shape[2] * rows.square().sum().item()
        self.fine += values.shape[1] * columns.square().sum().item()
        self.both += rest.square().sum().item()
        self.versions = versions

    def shares(self, scenes: int) -> Evidence:
        means = self.means
        assert isinstance(means, Tensor)
        scene = max(0.0, self.squares - self.versions * means.square().sum().item() / scenes)
        total = self.coarse + self.fine + self.both + scene
        parts = (self.coarse, self.fine, self.both, scene)
        return Evidence(*(part / total if total else float("nan") for part in parts))
