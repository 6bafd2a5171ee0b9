"""Larger nets that begin as the function of a trained one (Net2Net, the paper's reference 18): wider maps by copied
channels, deeper blocks by convs that change nothing.

In eval mode the logits are those of the smaller net, to rounding. In train mode too where maps were widened, because
copied channels have the statistics of their originals. A new conv's batch norm normalises each batch by itself, so in
train mode it changes nothing only as far as the batch has the statistics of the images that it was set by.
"""

from collections import OrderedDict
from copy import deepcopy
from typing import assert_never

import torch
from torch import Tensor, nn

from dfn.design.cost import layers
from dfn.design.errors import DesignError, whole
from dfn.design.nodes import MAX_CHANNELS, Conv, Fusion, Head, MergeRun, Node, Pool, Series, Tap, View
from dfn.design.spec import Design
from dfn.models.build import FusedNet, build
from dfn.models.initialise import input_of

_KEPT = ("sum", "mean", "max", "weighted", "inverse-variance")


@torch.no_grad()
def widen(net: FusedNet, channels: int, to: int, seed: int = 0) -> FusedNet:
    """A net in which every map of `channels` channels has `to` of them: the new ones copy others, drawn with the seed,
    and what reads a channel with n copies weighs each by 1 / n.

    For plain nets and for fusions whose joins work channel by channel. Raises DesignError for others, for group norm,
    and where no map has so many channels.
    """
    design = net.design
    whole("to", to, channels, MAX_CHANNELS)
    if design.norm == "group":
        raise DesignError("net", "a net with group norm", "batch norm or none: wider groups have other statistics")
    if channels == design.in_channels:
        raise DesignError("channels", channels, "another number than that of the image's own channels")
    body = _wider(design.body, channels, to)
    if body == design.body and to > channels:
        raise DesignError("channels", channels, "a number of channels that maps of the net have")
    wide = build(Design(**{**dict(design), "body": body})).train(net.training)
    extra = torch.randint(channels, (to - channels,), generator=torch.Generator().manual_seed(seed))
    origin = torch.cat([torch.arange(channels), extra]).to(next(net.parameters()).device)
    shares = 1 / origin.bincount(minlength=channels)[origin]
    wide.to(origin.device)
    state = net.state_dict()
    for name, target in wide.state_dict().items():
        value = state[name]
        if target.dim() > 1 and target.shape[1] != value.shape[1]:
            value = value[:, origin] * shares.to(value.dtype).view(-1, *[1] * (value.dim() - 2))
        if target.dim() and target.shape[0] != value.shape[0]:
            value = value[origin]
        target.copy_(value)
    return wide


@torch.no_grad()
def deepen(net: FusedNet, block: str, images: Tensor | None = None) -> FusedNet:
    """A net with one conv more at the beginning of a block, by the name of the block's map: `fusion2/deep`, or the tap
    behind it in a plain net, such as `block2`. The conv hands on what it sees, and so does its batch norm: gamma and
    beta undo the statistics of `images` (N, C, H, W), normalised; without images those of a norm that has seen nothing.

    Raises DesignError for other names, for group norm, and where no ReLU stands before the block.
    """
    design = net.design
    if design.norm == "group":
        raise DesignError("net", "a net with group norm", "batch norm or none: no group norm is an identity")
    nodes, place = _inserted(design, block, net)
    deep = build(Design(**{**dict(design), "body": Series(nodes=nodes)})).to(next(net.parameters()).device)
    added = deep.get_submodule(place)
    own = OrderedDict((name, value) for name, value in deep.state_dict().items() if not name.startswith(f"{place}."))
    for target, value in zip(own.values(), net.state_dict().values(), strict=True):
        target.copy_(value)
    conv = added.get_submodule("conv")
    assert isinstance(conv, nn.Conv2d)
    nn.init.dirac_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    if design.norm == "batch":
        norm = added.get_submodule("norm")
        assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
        if images is not None:
            seen = _seen_in_training(deep, place, images)
            norm.running_mean.copy_(seen.mean((0, 2, 3)))
            norm.running_var.copy_(seen.var((0, 2, 3)))
        norm.weight.copy_((norm.running_var + norm.eps).sqrt())
        norm.bias.copy_(norm.running_mean)
    return deep.train(net.training)


def _seen_in_training(net: FusedNet, place: str, images: Tensor) -> Tensor:
    """What the conv at a place sees where every batch norm uses the batch, and the net's own statistics stay."""
    copy = deepcopy(net).eval()
    for module in copy.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.train()
    return input_of(copy.get_submodule(f"{place}.conv"), copy, images)


def _wider(series: Series, channels: int, to: int) -> Series:
    def wider(node: Node) -> Node:
        match node:
            case Conv():
                return node.model_copy(update={"channels": to}) if node.channels == channels else node
            case Series():
                return _wider(node, channels, to)
            case Fusion():
                if node.join not in _KEPT:
                    raise DesignError("net", f"a {node.join} join", f"joins by channel: {', '.join(_KEPT)}")
                return node.model_copy(update={"branches": tuple(_wider(b, channels, to) for b in node.branches)})
            case MergeRun():
                if node.end == "concat":
                    raise DesignError("net", "streams side by side", "streams that end as one map")
                steps = tuple(tuple(_wider(block, channels, to) for block in step) for step in node.steps)
                return node.model_copy(update={"steps": steps})
            case Pool() | View() | Tap() | Head():
                return node
            case _:
                assert_never(node)

    return Series(nodes=tuple(map(wider, series.nodes)))


def _inserted(design: Design, block: str, net: FusedNet) -> tuple[tuple[Node, ...], str]:
    """The nodes of the body with a conv at the beginning of the block, and the path of its module."""
    nodes = list(design.body.nodes)
    names = [child.removeprefix("tap-") for child, _ in net.body.named_children()]
    own, _, lane = block.partition("/")
    index = names.index(own) if own in names else -1
    node = nodes[index] if index >= 0 else None
    if isinstance(node, Fusion) and lane:
        lanes = list(net.body.get_submodule(own).branches)  # pyright: ignore[reportArgumentType]
        before = index
    else:
        lanes = [""] if isinstance(node, Tap) else []
        taps = [i for i, one in enumerate(nodes[: max(0, index)]) if isinstance(one, Tap)]
        before = taps[-1] + 1 if taps else 1
    if lane not in lanes:
        raise DesignError("block", block, "a block of the net, by the name of its map: fusion2/deep, or block2")
    if not _positive(nodes[:before]):
        raise DesignError("block", block, "a block that stands behind a ReLU")
    known = {layer.name.removesuffix("/joined"): layer.after.channels for layer in layers(design)}
    conv = Conv(channels=known[names[before - 1]])
    if isinstance(node, Fusion):
        k = lanes.index(lane)
        longer = Series(nodes=(conv, *node.branches[k].nodes))
        nodes[index] = node.model_copy(update={"branches": (*node.branches[:k], longer, *node.branches[k + 1 :])})
        return tuple(nodes), f"body.{own}.branches.{lane}.conv1"
    convs = sum(isinstance(one, Conv) for one in nodes[:before])
    return (*nodes[:before], conv, *nodes[before:]), f"body.conv{convs + 1}"


def _positive(nodes: list[Node]) -> bool:
    """Whether what these nodes give is never negative, because a ReLU has the last word."""
    for node in reversed(nodes):
        match node:
            case Conv():
                return not node.projection
            case Fusion():
                return node.relu == "after"
            case MergeRun():
                return True
            case Tap() | Pool():
                continue
            case View() | Head() | Series():
                return False
            case _:
                assert_never(node)
    return False
