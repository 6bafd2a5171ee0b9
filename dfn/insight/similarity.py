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

BATCH = 50
SHUFFLES = 5


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
    return _aligned(*_kernels(a, b))


@dataclass(frozen=True)
class Alignment:
    """Linear CKA of two maps over `images` images, and `shuffled`: the mean of what it reads when the images of one
    are put into another order, which is the part that does not come from the images."""

    value: float
    shuffled: float
    images: int


def alignment(one: FusedNet, other: FusedNet, x: Tensor, at: str, other_at: str) -> Alignment:
    """Linear CKA between the map `at` of one net and `other_at` of another over the images x (N, C, H, W), in eval
    mode, beside what it reads by chance. Raises ValueError."""
    (a,), (b,) = _maps(one, x, [at]), _maps(other, x, [other_at])
    kernels = _kernels(a, b)
    generator = torch.Generator().manual_seed(0)
    orders = [torch.randperm(len(a), generator=generator) for _ in range(SHUFFLES)]
    shuffled = [_aligned(kernels[0], kernels[1][order][:, order]) for order in orders]
    return Alignment(_aligned(*kernels), sum(shuffled) / SHUFFLES, len(a))


def compare_nets(
    one: FusedNet, other: FusedNet, x: Tensor, places: Sequence[str], other_places: Sequence[str]
) -> NDArray[np.float64]:
    """Linear CKA between the maps of two nets over the images x (N, C, H, W), in eval mode: a row for each of
    `places` of the one and a column for each of `other_places` of the other. Raises ValueError."""
    rows, columns = _maps(one, x, places), _maps(other, x, other_places)
    return np.array([[linear_cka(a, b) for b in columns] for a in rows]).reshape(len(places), len(other_places))


def _maps(net: FusedNet, x: Tensor, names: Sequence[str]) -> list[Tensor]:
    """The named maps of all images; a batch at a time, since a trace holds every map of the net."""
    copy = own_copy(net)
    batches: list[list[Tensor]] = []
    for batch in checked_images(copy, x).split(BATCH):
        with torch.no_grad():
            _, trace = copy.trace(batch)
        for name in names:
            if name not in trace:
                raise refusal("places", name, f"some of {', '.join(trace)}")
        batches.append([trace[name] for name in names])
    return [torch.cat(parts) for parts in zip(*batches, strict=True)]


def _kernels(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The N x N kernels of the centred features of both."""
    if len(a) != len(b) or len(a) < 2:
        raise refusal("b", f"{len(b)} maps beside {len(a)}", "maps of the same images, two or more")
    features = [maps.detach().flatten(1).double() for maps in (a, b)]
    one, other = (values - values.mean(0) for values in features)
    return one @ one.T, other @ other.T


def _aligned(one: Tensor, other: Tensor) -> float:
    size = one.norm() * other.norm()
    return float((one * other).sum() / size) if size > 0 else float("nan")
