"""What every measurement starts from: a copy of the net of its own, and checked images, classes and places.

A net is shared by many readers, so no measurement runs on the net that it was given: the copy is in eval mode (batch
norm uses its running statistics, dropout and drop-path are off) and its parameters ask for no gradients.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from reprlib import repr as short
from typing import Any

import torch
from torch import Tensor, nn

from dfn.design.errors import LONGEST_SHOWN, whole
from dfn.models.build import Chain, Fused, FusedNet, MergeAndRun, Named, Step

Target = int | Sequence[int] | Tensor


class Place(Named):
    """Stands at a place of a copied net: hands on the map, or `value` in its stead.

    The alias that it gives is a tensor of its own, also behind an identity block, whose output is otherwise the very
    tensor that the other blocks read.
    """

    def __init__(self, name: str):
        super().__init__(name)
        self.value: Tensor | None = None

    def forward(self, input: Tensor) -> Tensor:
        return input.view_as(input) if self.value is None else self.value


def refusal(field: str, value: Any, accepted: str) -> ValueError:
    """The error of a measurement: it names the field, the value and what would be accepted."""
    words = isinstance(value, str) and value[:1].isalpha() and value.isprintable() and len(value) <= LONGEST_SHOWN
    return ValueError(f"{field}: {value if words else short(value)} is not accepted; accepted: {accepted}")


@contextmanager
def gradients_allowed() -> Iterator[None]:
    """Gradients, whatever the caller's thread has switched off."""
    with torch.inference_mode(False), torch.enable_grad():
        yield


def own_copy(net: FusedNet) -> FusedNet:
    """The net in eval mode, with weights of its own that ask for no gradients; raises ValueError for other modules."""
    if not isinstance(net, FusedNet):
        raise refusal("net", net, "a net made by dfn.build, not wrapped or compiled")
    with torch.inference_mode(False):
        copy = deepcopy(net).eval().requires_grad_(False)
    for parameter in copy.parameters():
        parameter.grad = None
    return copy


def checked_images(net: FusedNet, x: Tensor, field: str = "x") -> Tensor:
    """A copy of the images, on the net's device and in its precision, cut off from any graph."""
    channels = net.design.in_channels
    accepted = f"normalised images, a float tensor (N, {channels}, H, W)"
    if not isinstance(x, Tensor):
        raise refusal(field, x, accepted)
    if x.dim() != 4 or not x.is_floating_point() or x.shape[1] != channels or not x.numel():
        raise refusal(field, f"a tensor {x.dtype} of shape {tuple(x.shape)}", accepted)
    if not x.isfinite().all():
        raise refusal(field, "a tensor with NaN or infinity", accepted)
    weight = next(net.parameters())
    with torch.inference_mode(False):
        return x.detach().clone().to(weight.device, weight.dtype)


def checked_target(net: FusedNet, target: Target, images: int) -> Tensor:
    """The class of every image, int64 (N,)."""
    classes = net.design.classes
    accepted = f"a class from 0 to {classes - 1}, or {images} of them"
    match target:
        case Tensor():
            given = None if target.dim() > 1 or target.is_floating_point() else target.tolist()
        case Sequence() if not isinstance(target, str):
            given = list(target)
        case _:
            given = target
    rows = given if isinstance(given, list) else [given] * images
    fit = all(isinstance(c, int) and not isinstance(c, bool) and 0 <= c < classes for c in rows)
    if not fit or len(rows) != images:
        raise refusal("target", target, accepted)
    return torch.tensor(rows, device=next(net.parameters()).device)


def top_fusions(net: FusedNet) -> list[Fused]:
    """The fusions of a net from stem to classifier, without those inside branches."""
    by_name = {module.name: module for module in net.modules() if isinstance(module, Fused)}
    return [by_name[f"fusion{n}"] for n in range(1, len(by_name) + 1) if f"fusion{n}" in by_name]


def fusion_of(net: FusedNet, fusion: int) -> Fused:
    """The fusion with this number, counted from 1; raises ValueError."""
    found = top_fusions(net)
    if not found:
        raise refusal("net", "a net without fusions", "a net with fusions")
    return found[whole("fusion", fusion, 1, len(found)) - 1]


def lane_of(fused: Fused, branch: str) -> Chain:
    """The block of one base network at a fusion; raises ValueError."""
    lanes = list(fused.branches.keys())
    if branch not in lanes:
        raise refusal("branch", branch, f"one of {', '.join(lanes)}")
    block = fused.branches[branch]
    assert isinstance(block, Chain)
    return block


def mark(net: FusedNet, at: str) -> Place:
    """Put a `Place` where the map `at` of a trace arises, in a net that is our own."""
    place = Place(at)
    owner, _, own = at.rpartition("/")
    for module in net.modules():
        match module:
            case Fused() if module.name == owner and own == "joined":
                module.add_module("relu", nn.Sequential(module.relu, place))
                return place
            case Fused() if module.name == owner and own in module.branches:
                lane_of(module, own).add_module("place", place)
                return place
            case MergeAndRun() if module.name == owner and own == "joined":
                module.end = place
                return place
            case Step() if module.name == owner and own in module.blocks:
                module.blocks[own].add_module("place", place)
                return place
            case Step() if module.name == owner and own.startswith("stream") and not module.merges:
                k = int(own.removeprefix("stream")) - 1
                module.relus[k] = nn.Sequential(module.relus[k], place)
                return place
            case Chain() if module.name == owner and own == "stem" and hasattr(module, own):
                module.add_module(own, nn.Sequential(module.get_submodule(own), place))
                return place
            case Chain() if module.name == owner and hasattr(module, f"tap-{own}"):
                module.add_module(f"tap-{own}", place)
                return place
    raise refusal("at", at, "a map's name in the net's trace")
