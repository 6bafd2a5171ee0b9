"""Larger nets that begin as the function of a trained one (Net2Net, the paper's reference 18): wider maps by copied
channels, deeper blocks by convs that change nothing.

In eval mode the logits are those of the smaller net, to rounding. In train mode too where maps were widened, because
copied channels have the statistics of their originals. A new conv's batch norm normalises each batch by itself, so in
train mode it changes nothing only as far as the batch has the statistics of the images that it was set by.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from dfn.design import growth
from dfn.design.spec import Design
from dfn.models.build import Chain, FusedNet, build
from dfn.models.initialise import input_of


def widen(net: FusedNet, channels: int, to: int, seed: int = 0) -> FusedNet:
    """A net in which every map of `channels` channels has `to` of them, and which is the same function.

    For plain nets and for fusions whose joins work channel by channel. Raises DesignError for others, for group norm,
    and where no map has so many channels.
    """
    return grow(net, growth.wider(net.design, channels, to), seed)


def deepen(net: FusedNet, block: str, images: Tensor | None = None) -> FusedNet:
    """A net with one conv more at the beginning of a block, by the name of the block's map: `fusion2/deep`, or the tap
    behind it in a plain net, such as `block2`; the same function.

    Raises DesignError for other names, for group norm, and where no ReLU stands before the block.
    """
    return grow(net, growth.deeper(net.design, block), images=images)


@torch.no_grad()
def grow(net: FusedNet, design: Design, seed: int = 0, images: Tensor | None = None) -> FusedNet:
    """The net of a larger design that begins as the function of `net`, on its device and in its mode.

    New channels copy others, drawn with the seed, and what reads a channel with n copies weighs each by 1 / n. A new
    conv hands on what it sees, and so does its batch norm: gamma and beta undo the statistics of `images` (N, C, H, W),
    normalised; without images those of a norm that has seen nothing. Raises DesignError as `dfn.design.growth` does.
    """
    found = growth.growth(net.design, design)
    device = next(net.parameters()).device
    large = build(design).to(device)
    places = _places(large)
    added = tuple(f"{places[name]}." for name in found.added)
    own = [target for name, target in large.state_dict().items() if not name.startswith(added)]
    origins = {old: _origins(old, new, seed).to(device) for old, new in found.widths.items()}
    for target, value in zip(own, net.state_dict().values(), strict=True):
        if target.dim() > 1 and target.shape[1] != value.shape[1]:
            origin = origins[value.shape[1]]
            shares = 1 / origin.bincount()[origin]
            value = value[:, origin] * shares.to(value.dtype).view(-1, *[1] * (value.dim() - 2))
        if target.dim() and target.shape[0] != value.shape[0]:
            value = value[origins[value.shape[0]]]
        target.copy_(value)
    for name in found.added:
        _hand_on(large, places[name], images)
    return large.train(net.training)


def _origins(old: int, new: int, seed: int) -> Tensor:
    """Of every channel the one that it is, or copies."""
    extra = torch.randint(old, (new - old,), generator=torch.Generator().manual_seed(seed))
    return torch.cat([torch.arange(old), extra])


def _places(net: FusedNet) -> dict[str, str]:
    """The path of every layer's module, by the layer's name in the design."""
    chains = [(path, module) for path, module in net.named_modules() if isinstance(module, Chain)]
    return {
        f"{chain.name}/{child}" if chain.name else child: f"{path}.{child}"
        for path, chain in chains
        for child, _ in chain.named_children()
    }


def _hand_on(net: FusedNet, place: str, images: Tensor | None) -> None:
    """Make an identity of the conv at a place and of its norm."""
    added = net.get_submodule(place)
    conv = added.get_submodule("conv")
    assert isinstance(conv, nn.Conv2d)
    nn.init.dirac_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    if net.design.norm == "batch":
        norm = added.get_submodule("norm")
        assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
        if images is not None:
            seen = _seen_in_training(net, place, images)
            norm.running_mean.copy_(seen.mean((0, 2, 3)))
            norm.running_var.copy_(seen.var((0, 2, 3)))
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(norm.running_mean)


def _seen_in_training(net: FusedNet, place: str, images: Tensor) -> Tensor:
    """What the conv at a place sees where every batch norm uses the batch, and the net's own statistics stay."""
    copy = deepcopy(net).eval()
    for module in copy.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train()
    return input_of(copy.get_submodule(f"{place}.conv"), copy, images)
