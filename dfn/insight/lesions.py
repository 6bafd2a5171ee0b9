"""Lesions: copies of a net in which a block, a branch or a way back is cut, turned down, exchanged or left alone.

Every function gives a changed copy in the mode of the net that it was given, which stays as it was. Copies can be
lesioned again. A cut block is off the distribution that the layers behind it were trained on, so three replacements
are offered, zero, mean and resample; none of them proves by itself what a block is for (after arXiv 1605.06431).
"""

from collections import OrderedDict
from copy import deepcopy
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from dfn.design.cost import layers
from dfn.design.errors import whole
from dfn.design.nodes import Conv, Fusion, MergeRun, Series, Tap
from dfn.design.paths import chain
from dfn.design.spec import Design
from dfn.insight.cuts import Bypass, Dial, Mean, OneWay, Only, Resample, Streams
from dfn.insight.subject import checked_images, fusion_of, lane_of, own_copy, refusal, top_fusions
from dfn.models.build import Chain, Fused, FusedNet, Named
from dfn.models.joins import Concat

How = Literal["zero", "mean", "resample"]
HOWS: tuple[How, ...] = get_args(How)


def lesion(
    net: FusedNet,
    fusion: int | None = None,
    branch: str = "shallow",
    how: How = "zero",
    *,
    reference: Tensor | None = None,
    seed: int = 0,
) -> FusedNet:
    """A copy in which the block of `branch` at `fusion` (counted from 1; None cuts it at every one) is replaced.

    `zero` puts zeros in its map's place, `mean` the mean of each channel, `resample` the map of another image. Mean
    and other images come from `reference`, normalised images (N, C, H, W), as the net sees them before the cut;
    without a reference they come from the batch that passes, so what an image gives then depends on its neighbours.
    No gradient goes through a cut block. Raises ValueError.
    """
    changed = _copy(net)
    maps = {} if reference is None or how == "zero" else _maps(net, reference)
    for fused in _chosen(changed, fusion):
        block = lane_of(fused, branch)
        bank = maps.get(f"{fused.name}/{branch}")
        match how:
            case "zero":
                cut: nn.Module = Dial(0.0)
            case "mean":
                cut = Mean(None if bank is None else bank.transpose(0, 1).flatten(1).mean(1))
            case "resample":
                cut = Resample(bank, seed)
            case _:
                raise refusal("how", how, "zero, mean or resample")
        _append(block, cut)
    return changed


def bypass(net: FusedNet, block: int) -> FusedNet:
    """A copy of a plain net in which the convs of one block (counted from 1) are taken out; where the block changed the
    shape, every second row and column goes on and new channels are zero. There is no branch beside a plain net's block,
    so this is the lesion that stands next to a fused net's. Raises ValueError."""
    changed = _copy(net)
    taps = plain_blocks(changed)
    if not taps:
        raise refusal("net", "a net with fusions or without blocks", "a plain net, whose fusions name its blocks")
    name = taps[whole("block", block, 1, len(taps)) - 1]
    known = {layer.name: layer.after for layer in layers(net.design)}
    before, after = known[taps[block - 2] if block > 1 else "stem"], known[name]
    children: OrderedDict[str, nn.Module] = OrderedDict()
    inside = block == 1
    for child, module in changed.body.named_children():
        if child == f"tap-{name}":
            children[f"bypass{block}"] = Bypass(after.channels, after.stride // before.stride)
            inside = False
        if not inside or child == "stem":
            children[child] = module
        if block > 1 and child == f"tap-{taps[block - 2]}":
            inside = True
    changed.body = Chain(changed.body.name, children)
    return changed


def plain_blocks(net: FusedNet) -> list[str]:
    """The taps behind the blocks of a plain net, from stem to classifier; none for other nets."""
    nodes = net.design.body.nodes
    if any(isinstance(node, Fusion | MergeRun | Series) for node in nodes) or not isinstance(nodes[0], Conv):
        return []
    return [node.name for node in nodes if isinstance(node, Tap)]


def dial(net: FusedNet, gain: float, branch: str = "shallow", fusion: int | None = None) -> FusedNet:
    """A copy in which what `branch` gives at `fusion` (None: at every one) is multiplied by `gain`, from 0 to 1. An
    experiment on a trained net, not a model of the paper. Raises ValueError."""
    if isinstance(gain, bool) or not isinstance(gain, int | float) or not 0 <= gain <= 1:
        raise refusal("gain", gain, "a number from 0 to 1")
    changed = _copy(net)
    for fused in _chosen(changed, fusion):
        _append(lane_of(fused, branch), Dial(float(gain)))
    return changed


def cut_feedback(net: FusedNet, fusion: int, branch: str) -> FusedNet:
    """A copy in which the joined map of `fusion` does not go back to `branch`: its next block reads the branch's own
    map, behind the ReLU that follows the join, until the next fusion. The other branches read the joined map.

    For chains of fusions. Raises ValueError: behind the last fusion nothing is fed back, and behind a concat a branch
    alone is too narrow for its next block.
    """
    chain(net.design)
    changed = _copy(net)
    fused = fusion_of(changed, fusion)
    lane_of(fused, branch)
    if fusion == (last := len(top_fusions(changed))):
        raise refusal("fusion", fusion, f"a fusion before the last one, {last}: behind that no block reads the join")
    if isinstance(fused.join, Concat):
        raise refusal("fusion", "a concat", "a sum, mean, max or gate, whose branches are as wide as their join")
    unfed = {*(fused.own_relu if isinstance(fused, OneWay) else ()), branch}
    children = OrderedDict(changed.body.named_children())
    children[fused.name] = OneWay(fused, tuple(lane for lane in fused.branches if lane in unfed))
    changed.body = Streams(changed.body.name, children)
    return changed


def swap_blocks(net: FusedNet, branch: str, first: int, second: int) -> FusedNet:
    """A copy in which two blocks of one base network, before two different fusions, have changed places. Unlike the
    exchange inside one fusion this is another function. Raises ValueError where their shapes differ."""
    changed = _copy(net)
    one, other = fusion_of(changed, first), fusion_of(changed, second)
    blocks = lane_of(one, branch), lane_of(other, branch)
    changed.design = _with_swapped(net.design, list(one.branches).index(branch), first, second)
    one.branches[branch], other.branches[branch] = blocks[1], blocks[0]
    for fused in (one, other):
        _rename(lane_of(fused, branch), f"{fused.name}/{branch}")
    return changed


def alone(net: FusedNet, branch: str) -> FusedNet:
    """A copy in which one base network works alone: every fusion hands on its block's map and nothing of the others.

    Behind a concat the channels of the others are zero. The batch-norm statistics are still those of the joined maps;
    average them anew with `dfn.training.evaluate.recalibrate` before judging what the base network can do.
    """
    changed = _copy(net)
    for fused in _chosen(changed, None):
        lane_of(fused, branch)
        for index, lane in enumerate(fused.branches):
            if lane != branch:
                _append(lane_of(fused, lane), Dial(0.0))
            elif not isinstance(fused.join, Concat):
                fused.join = Only(index)
    return changed


def _copy(net: FusedNet) -> FusedNet:
    if not isinstance(net, FusedNet):
        raise refusal("net", net, "a net made by dfn.build, not wrapped or compiled")
    return deepcopy(net)


def _chosen(net: FusedNet, fusion: int | None) -> list[Fused]:
    return [fusion_of(net, fusion)] if fusion is not None else top_fusions(net) or [fusion_of(net, 1)]


def _append(block: Chain, cut: nn.Module) -> None:
    block.add_module(f"cut{len(block._modules)}", cut)


@torch.no_grad()
def _maps(net: FusedNet, reference: Tensor) -> dict[str, Tensor]:
    return own_copy(net).trace(checked_images(net, reference, "reference"))[1]


def _with_swapped(design: Design, lane: int, first: int, second: int) -> Design:
    """The design with two blocks of one lane in each other's place; raises ValueError where they do not fit."""
    read = {layer.name: layer.before.channels for layer in layers(design)}
    if read[f"fusion{first}/joined"] != read[f"fusion{second}/joined"]:
        raise refusal("second", second, f"a fusion whose blocks read as many channels as those of fusion {first}")
    nodes = list(design.body.nodes)
    places = [index for index, node in enumerate(nodes) if isinstance(node, Fusion)]
    one, other = nodes[places[first - 1]], nodes[places[second - 1]]
    assert isinstance(one, Fusion) and isinstance(other, Fusion)
    for number, fusion, block in ((first, one, other.branches[lane]), (second, other, one.branches[lane])):
        branches = (*fusion.branches[:lane], block, *fusion.branches[lane + 1 :])
        nodes[places[number - 1]] = fusion.model_copy(update={"branches": branches})
    return Design(**{**dict(design), "body": Series(nodes=tuple(nodes))})


def _rename(block: Chain, name: str) -> None:
    moved = [module for module in block.modules() if isinstance(module, Chain | Fused | Named)]
    old = block.name
    for module in moved:
        module.name = name + module.name.removeprefix(old)
