"""How alike two things are: the maps that meet at a fusion, and the maps of two nets over a batch of images.

Maps of one fusion can be compared number by number, since the join adds them that way. Channels of two nets that were
trained apart have no common order, so these are compared by centred kernel alignment, which asks whether the same
images look alike to both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dfn.insight.maps import cosine, opposite_signs, shares
from dfn.insight.subject import checked_images, own_copy, refusal, top_fusions
from dfn.models.build import FusedNet


@dataclass(frozen=True)
class Meeting:
    """What meets at one fusion, over all images: the share of each block in the sum of |values|, and for the two
    blocks of a pair the cosine of the angle between their maps and the share of places with opposite signs."""

    fusion: str
    shares: dict[str, float]
    cosine: dict[tuple[str, str], float]
    opposite_signs: dict[tuple[str, str], float]


def meetings(net: FusedNet, x: Tensor) -> list[Meeting]:
    """How the blocks' maps compare at every fusion, in eval mode; blocks of unlike shapes (concat) have no pairs.

    `x` is (N, C, H, W), normalised. Raises ValueError.
    """
    copy = own_copy(net)
    with torch.no_grad():
        _, trace = copy.trace(checked_images(copy, x))
    found = []
    for fused in top_fusions(copy):
        maps = {lane: trace[f"{fused.name}/{lane}"].cpu().numpy() for lane in fused.branches}
        pairs = [
            (one, other)
            for index, one in enumerate(maps)
            for other in list(maps)[index + 1 :]
            if maps[one].shape == maps[other].shape
        ]
        found.append(
            Meeting(
                fused.name,
                dict(zip(maps, shares(list(maps.values())), strict=True)),
                {(one, other): cosine(maps[one], maps[other]) for one, other in pairs},
                {(one, other): opposite_signs(maps[one], maps[other]) for one, other in pairs},
            )
        )
    return found


def linear_cka(a: Tensor, b: Tensor) -> float:
    """Linear centred kernel alignment of two sets of maps of the same N images, each (N, ...): 1 where one is the
    other up to rotation and scale, near 0 where the images are alike to one in a way that the other does not share.

    With centred features A, B it is |B'A|^2 / (|A'A| |B'B|) in Frobenius norms (arXiv 1905.00414), here by
    the N x N kernels AA' and BB'. NaN where a map is the same for all images; biased upwards where N is small beside
    the number of features. Raises ValueError.
    """
    if len(a) != len(b) or len(a) < 2:
        raise refusal("b", f"{len(b)} maps beside {len(a)}", "maps of the same images, two or more")
    kernels = []
    for maps in (a, b):
        features = maps.detach().flatten(1).double()
        features = features - features.mean(0)
        kernels.append(features @ features.T)
    one, other = kernels
    size = one.norm() * other.norm()
    return float((one * other).sum() / size) if size > 0 else float("nan")


def compare_nets(
    one: FusedNet, other: FusedNet, x: Tensor, places: Sequence[str], other_places: Sequence[str]
) -> NDArray[np.float64]:
    """Linear CKA between the maps of two nets over the images x (N, C, H, W), in eval mode: a row for each of
    `places` of the one and a column for each of `other_places` of the other. Raises ValueError."""
    maps = []
    for net, names in ((one, places), (other, other_places)):
        copy = own_copy(net)
        with torch.no_grad():
            _, trace = copy.trace(checked_images(copy, x))
        for name in names:
            if name not in trace:
                raise refusal("places", name, f"some of {', '.join(trace)}")
        maps.append([trace[name] for name in names])
    return np.array([[linear_cka(a, b) for b in maps[1]] for a in maps[0]]).reshape(len(places), len(other_places))
