"""Hypothesis strategies for random designs that are nets: every kind of node, nested or in a chain, all small.

A stretch of nodes is drawn for what goes in, what must come out and by how much the map shrinks, so that the branches
of every fusion fit together by construction.
"""

from itertools import count
from typing import get_args

from hypothesis import settings
from hypothesis import strategies as st

from dfn.design.nodes import LOGIT_JOINS, SYMMETRIC_JOINS, Conv, Fusion, Head, Join, MergeRun, Pool, Series, Tap, View
from dfn.design.spec import Design

settings.register_profile("dfn", deadline=None)  # a busy machine is no failure
settings.load_profile("dfn")

ANY_JOIN = get_args(Join)
TWO_OR_THREE = st.integers(2, 3)
UP_TO_FOUR = st.integers(1, 4)
DROPOUTS = (0.0, 0.0, 0.1, 0.30000000000000004)


@st.composite
def designs(draw, joins=ANY_JOIN, nesting=2, dropout=True):
    """Any net with up to `nesting` fusions inside one another; whole nets joined in their logits now and then."""
    in_channels = draw(st.integers(1, 3))
    stretch = _Stretch(draw, joins, dropout)
    if draw(st.integers(0, 5)) == 0:
        nets = tuple(Series(nodes=stretch.net(in_channels, nesting - 1)) for _ in range(draw(st.integers(2, 3))))
        join = draw(st.sampled_from([j for j in joins if j in LOGIT_JOINS] or ["mean"]))
        body = (Fusion(branches=nets, join=join, relu="before"),)
    else:
        body = stretch.net(in_channels, nesting)
    return Design(
        body=Series(nodes=body),
        in_channels=in_channels,
        classes=draw(st.integers(2, 12)),
        norm=draw(st.sampled_from(["batch", "group", "none"])),
    )


@st.composite
def chains(draw, bases=TWO_OR_THREE, fusions=UP_TO_FOUR, deepest=4, joins=SYMMETRIC_JOINS):
    """A chain of fusions: every block 0 to `deepest` convs, now and then a shared conv or projection in between."""
    lanes = draw(bases)
    shared = st.sampled_from([(), (), (Conv(channels=4),), (Conv(channels=4), Conv(channels=4, projection=True))])
    body = [Conv(channels=4), *draw(shared)]
    for _ in range(draw(fusions)):
        depths = draw(st.lists(st.integers(0, deepest), min_size=lanes, max_size=lanes))
        branches = tuple(Series(nodes=(Conv(channels=4),) * depth) for depth in depths)
        join = draw(st.sampled_from(joins))
        if join == "concat":
            parts = [4 // lanes + (k < 4 % lanes) for k in range(lanes)]
            branches = tuple(
                Series(nodes=(*(Conv(channels=4),) * (depth - 1), Conv(channels=part, projection=not depth)))
                for depth, part in zip(depths, parts, strict=True)
            )
        body += [Fusion(branches=branches, join=join), *draw(shared)]
    return Design(body=Series(nodes=(*body, Head())))


def fused_settings(most_bases=4):
    """Keyword arguments of `fused` that make a net."""
    return st.fixed_dictionaries(
        {
            "bases": st.lists(st.integers(2, 40), min_size=2, max_size=most_bases),
            "fusions": st.integers(0, 9),
            "width": st.integers(4, 8),
            "join": st.sampled_from(["sum", "mean"]),
            "norm": st.sampled_from(["batch", "none"]),
            "classes": st.integers(2, 12),
        }
    )


class _Stretch:
    """Draws stretches of nodes; every tap of a design gets a name of its own."""

    def __init__(self, draw, joins, dropout):
        self.draw, self.joins, self.dropout = draw, joins, dropout
        self.numbers = count(1)

    def net(self, in_channels, nesting):
        stem = Conv(channels=self.draw(st.integers(1, 5)), kernel=self.draw(st.sampled_from([1, 3, 5])))
        channels, nodes = stem.channels, [stem]
        for _ in range(self.draw(st.integers(0, 3))):
            after = self.draw(st.integers(1, 5))
            nodes += self.between(channels, after, self.draw(st.sampled_from([1, 1, 2, 3])), nesting)
            channels = after
        behind = [Tap(name=f"tap-{next(self.numbers)}")] if self.draw(st.integers(0, 9)) == 9 else []
        return (*nodes, Head(dropout=self.rate()), *behind)

    def between(self, before, after, stride, nesting):
        """Nodes that turn `before` channels into `after` and shrink the map by `stride`."""
        kinds = ["convs", "pooled", "viewed", "tapped", "series"] + ["fusion", "fusion", "fusion", "merge"] * (
            nesting > 0
        )
        match self.draw(st.sampled_from(kinds)):
            case "merge":
                return self.merge(before, after, stride, nesting - 1)
            case "fusion":
                return [self.fusion(before, after, stride, nesting - 1)]
            case "series":
                return [Series(nodes=tuple(self.between(before, after, stride, nesting)))]
            case "pooled" if stride > 1:
                mode = self.draw(st.sampled_from(["average", "max"]))
                pool = Pool(mode=mode, kernel=self.draw(st.sampled_from([3, stride])), stride=stride)
                return [pool, *self.convs(before, after, 1)]
            case "viewed":
                view = View(view=self.draw(st.sampled_from(["full", "low-pass", "edges"])))
                return [view, *self.convs(before, after, stride)]
            case "tapped":
                return [*self.convs(before, after, stride), Tap(name=f"tap-{next(self.numbers)}")]
            case _:
                return self.convs(before, after, stride)

    def convs(self, before, after, stride):
        if before == after and stride == 1 and self.draw(st.booleans()):
            return []
        if self.draw(st.integers(0, 3)) == 0:
            return [Conv(channels=after, kernel=1, stride=stride, projection=True)]
        first = Conv(channels=after, kernel=self.draw(st.sampled_from([1, 3, 5])), stride=stride, dropout=self.rate())
        return [first, *[Conv(channels=after)] * self.draw(st.integers(0, 2))]

    def fusion(self, before, after, stride, nesting):
        join = self.draw(st.sampled_from([j for j in self.joins if j != "concat" or after > 1]))
        lanes = self.draw(st.integers(2, min(after, 3) if join == "concat" else 3))
        parts = [after // lanes + (k < after % lanes) for k in range(lanes)] if join == "concat" else [after] * lanes
        return Fusion(
            branches=tuple(Series(nodes=tuple(self.between(before, part, stride, nesting))) for part in parts),
            join=join,
            relu=self.draw(st.sampled_from(["after", "before"])),
            drop_path=self.rate(),
            scales=[self.draw(st.sampled_from([0.1, 1.0, -2.5])) for _ in parts] if self.scaled(join) else (),
        )

    def merge(self, before, after, stride, nesting):
        """Streams that first keep the shape and then change it; side by side they need a conv behind them."""
        streams, end = self.draw(st.integers(2, 3)), self.draw(st.sampled_from(["merge", "concat"]))
        shapes = [(before, before, 1)] * self.draw(st.integers(0, 2)) + [(before, after, stride)]
        steps = tuple(tuple(Series(nodes=tuple(self.between(*s, nesting))) for _ in range(streams)) for s in shapes)
        behind = [Conv(channels=after)] if end == "concat" else []
        return [MergeRun(steps=steps, end=end), *behind]

    def scaled(self, join):
        return join == "sum" and self.draw(st.integers(0, 3)) == 0

    def rate(self):
        return self.draw(st.sampled_from(DROPOUTS)) if self.dropout else 0.0
