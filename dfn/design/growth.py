"""How a design can begin as the function of a smaller one (Net2Net, the paper's reference 18): the same layers in the
same order, maps made wider, and convs in between that hand on what they see."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import assert_never

from dfn.design.cost import layers, named_branches, named_children, named_steps
from dfn.design.errors import DesignError, whole
from dfn.design.nodes import (
    MAX_CHANNELS,
    Conv,
    Fusion,
    Head,
    MergeRun,
    Node,
    Pool,
    Series,
    Tap,
    View,
    has_layers,
    lane_names,
)
from dfn.design.spec import Design

KEPT_JOINS = ("sum", "mean", "max", "weighted", "inverse-variance")
"""Joins that work channel by channel, so that copied channels give copies."""


@dataclass(frozen=True)
class Growth:
    """`widths` gives, for a number of channels of the smaller design, how many the larger one has; `added` are the
    names of the convs that only the larger one has, in the order in which an image meets them."""

    widths: dict[int, int]
    added: tuple[str, ...]


def growth(small: Design, large: Design) -> Growth:
    """How the large net can begin as the function of the small one, up to the values of its weights.

    Maps of equally many channels have to grow alike, and a new conv keeps the shape and stands behind a ReLU, or is
    all that its branch has. Raises DesignError, whose field is a place of the large net, where that cannot be.
    """
    for design in (small, large):
        if design.norm == "group":
            accepted = "batch norm or none: no group norm is an identity, and wider groups have other statistics"
            raise DesignError("net", "a net with group norm", accepted)
    for name in ("norm", "in_channels", "classes"):
        wanted = getattr(small, name)
        if getattr(large, name) != wanted:
            raise DesignError(name, getattr(large, name), f"{wanted}, as the smaller net has")
    walk = _Walk(large)
    walk.series(small.body, large.body, "", tail=False, positive=False)
    if any(old != new for old, new in walk.widths.items()):
        _check_joins(large.body)
    return Growth(walk.widths, tuple(walk.added))


def wider(design: Design, channels: int, to: int) -> Design:
    """The design in which every map of `channels` channels has `to` of them. Raises DesignError where none has."""
    whole("to", to, channels, MAX_CHANNELS)
    if channels == design.in_channels:
        raise DesignError("channels", channels, "another number than that of the image's own channels")
    _check_joins(design.body)
    body = _wider(design.body, channels, to)
    if body == design.body and to > channels:
        raise DesignError("channels", channels, "a number of channels that maps of the net have")
    return Design(**{**dict(design), "body": body})


def deeper(design: Design, block: str) -> Design:
    """The design with one conv more at the beginning of a block, by the name of the block's map: `fusion2/deep`, or the
    tap behind it in a plain net, such as `block2`. Raises DesignError for other names."""
    nodes = list(design.body.nodes)
    names = [name for name, _ in named_children(design.body, "")]
    channels = {layer.name: layer.before.channels for layer in layers(design)}
    own, _, lane = block.partition("/")
    index = names.index(own) if own in names else -1
    match nodes[index]:
        case Fusion() if index == 0:
            raise DesignError("block", block, "a block that stands behind a ReLU")
        case Fusion(branches=branches) as fusion if lane in lane_names(len(branches)):
            k = lane_names(len(branches)).index(lane)
            longer = Series(nodes=(Conv(channels=channels[f"{own}/joined"]), *branches[k].nodes))
            nodes[index] = fusion.model_copy(update={"branches": (*branches[:k], longer, *branches[k + 1 :])})
        case Tap() if not lane:
            before = max((i + 1 for i in range(index) if isinstance(nodes[i], Tap)), default=1)
            nodes.insert(before, Conv(channels=channels[names[before]]))
        case _:
            raise DesignError("block", block, "a block of the net, by the name of its map: fusion2/deep, or block2")
    return Design(**{**dict(design), "body": Series(nodes=tuple(nodes))})


class _Walk:
    """Both designs side by side, from the image on; `positive` says whether what comes is never negative, `tail`
    whether a series ends in front of a join whose ReLU comes later, so that its last layer has none."""

    def __init__(self, large: Design):
        self.shapes = {layer.name: layer for layer in layers(large)}
        self.widths: dict[int, int] = {}
        self.added: list[str] = []

    def series(self, small: Series, large: Series, name: str, tail: bool, positive: bool) -> bool:
        """Note how the small series grows; returns whether what the large one gives is never negative."""
        ends = [max((i for i, node in enumerate(s.nodes) if has_layers(node)), default=-1) for s in (small, large)]
        pairs = zip(_aligned(small, large, name), named_children(large, name), strict=True)
        for index, (found, (own, node)) in enumerate(pairs):
            last = tail and index == ends[1]
            if found is None:
                self.new(node, own, allowed=ends[0] < 0 if last else positive)
            else:
                place, old = found
                if last != (tail and place == ends[0]):
                    raise DesignError(own, "a conv more behind the last one of a block", "one in front of it")
                self.pair(old, node, own, last, positive)
            positive = _positive(node, last, positive)
        return positive

    def new(self, node: Node, own: str, *, allowed: bool) -> None:
        layer = self.shapes.get(own)
        shaped = layer is not None and (layer.before.shape, layer.before.stride) == (
            layer.after.shape,
            layer.after.stride,
        )
        if not isinstance(node, Conv) or node.projection or not shaped:
            raise DesignError(own, f"another {node.kind} than the smaller net has", _ACCEPTED)
        if not allowed:
            raise DesignError(own, "a conv more", "one in a block that stands behind a ReLU")
        self.added.append(own)

    def pair(self, small: Node, large: Node, own: str, last: bool, positive: bool) -> None:
        match small, large:
            case Conv(), Conv():
                if self.widths.setdefault(small.channels, large.channels) != large.channels:
                    wanted = self.widths[small.channels]
                    raise DesignError(own, f"{large.channels} channels", f"{wanted}, as other maps that had as many")
                if large.channels < small.channels:
                    raise DesignError(own, f"{large.channels} channels", f"{small.channels} or more")
            case Series(), Series():
                self.series(small, large, own, last, positive)
            case Fusion(), Fusion():
                for old, (lane, new) in zip(small.branches, named_branches(large, own), strict=True):
                    self.series(old, new, lane, large.relu == "after", positive)
            case MergeRun(), MergeRun():
                for olds, (_, news) in zip(small.steps, named_steps(large, own), strict=True):
                    for old, (lane, new) in zip(olds, news, strict=True):
                        self.series(old, new, lane, tail=True, positive=positive)
                    positive = True
            case _:
                pass


_ACCEPTED = "the layers of the smaller net in their order, and between them convs of stride 1 that keep the width"


def _aligned(small: Series, large: Series, name: str) -> Iterator[tuple[int, Node] | None]:
    """For every node of the large series the one of the small series that it comes from, with its place there. They
    are matched from the end, so that new convs stand as early as they can, where a ReLU is in front of them."""
    rest, found = list(enumerate(zip(_known(small, name), small.nodes, strict=True))), []
    for what in reversed(list(_known(large, name))):
        if rest and rest[-1][1][0] == what:
            place, (_, node) = rest.pop()
            found.append((place, node))
        else:
            found.append(None)
    if rest:
        raise DesignError(name or "design", f"a net without a {rest[-1][1][1].kind} of the smaller one", _ACCEPTED)
    return reversed(found)


def _known(series: Series, name: str) -> Iterator[tuple[object, ...]]:
    """By what each node is known in either design: all but its width. A stem stays the first layer."""
    for own, node in named_children(series, name):
        match node:
            case Conv():
                yield own.endswith("stem"), node.kernel, node.stride, node.projection
            case Fusion():
                yield node.kind, node.join, node.relu, node.scales, len(node.branches)
            case MergeRun():
                yield node.kind, node.end, len(node.steps), len(node.steps[0])
            case Head() | Series():
                yield (node.kind,)
            case Pool() | View() | Tap():
                yield (node,)
            case _:
                assert_never(node)


def _positive(node: Node, last: bool, before: bool) -> bool:
    """Whether what a node gives is never negative, because a ReLU has the last word."""
    match node:
        case Conv():
            return not (last or node.projection)
        case Fusion():
            return node.relu == "after" and not last
        case MergeRun():
            return not last
        case Pool() | Tap():
            return before
        case View() | Head() | Series():
            return False
        case _:
            assert_never(node)


def _check_joins(series: Series) -> None:
    """Refuse what does not work channel by channel."""
    for node in series.nodes:
        match node:
            case Fusion():
                if node.join not in KEPT_JOINS:
                    raise DesignError("net", f"a {node.join} join", f"joins by channel: {', '.join(KEPT_JOINS)}")
                parts = node.branches
            case MergeRun():
                if node.end == "concat":
                    raise DesignError("net", "streams side by side", "streams that end as one map")
                parts = tuple(chain(*node.steps))
            case Series():
                parts = (node,)
            case Conv() | Pool() | View() | Tap() | Head():
                parts = ()
            case _:
                assert_never(node)
        for part in parts:
            _check_joins(part)


def _wider(series: Series, channels: int, to: int) -> Series:
    def wider(node: Node) -> Node:
        match node:
            case Conv():
                return node.model_copy(update={"channels": to}) if node.channels == channels else node
            case Series():
                return _wider(node, channels, to)
            case Fusion():
                return node.model_copy(update={"branches": tuple(_wider(b, channels, to) for b in node.branches)})
            case MergeRun():
                steps = tuple(tuple(_wider(block, channels, to) for block in step) for step in node.steps)
                return node.model_copy(update={"steps": steps})
            case Pool() | View() | Tap() | Head():
                return node
            case _:
                assert_never(node)

    return Series(nodes=tuple(map(wider, series.nodes)))
