"""Paths and base networks of a design: exact counts, by folds over the tree.

A conv is z, a series is the product, a fusion is the sum: the coefficients of the polynomial that comes out are the
numbers of paths of each depth. Base networks, groups and essential depth (arXiv 1605.07716, section 2; the formulas
are derived in docs/architecture.md) are defined on a chain of fusions that all have as many branches.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate, product
from math import factorial
from operator import or_
from typing import assert_never

from dfn.design.bottleneck import smallest_maximum
from dfn.design.errors import DesignError, whole
from dfn.design.nodes import SYMMETRIC_JOINS, Conv, Fusion, Head, MergeRun, Node, Pool, Series, Tap, View
from dfn.design.spec import Design

Spectrum = dict[int, int]


def path_spectrum(design: Design) -> Spectrum:
    """How many paths have each depth, from the deepest to the shallowest; exact integers of any size."""
    return dict(sorted(_fold(design.body).items(), reverse=True))


def path_count(design: Design) -> int:
    """How many ways lead from the stem to the classifier, one branch chosen at every fusion."""
    return sum(path_spectrum(design).values())


def receptive_fields(design: Design) -> Spectrum:
    """How many paths have each theoretical receptive field: the pixels along one side of the input that one place of
    the last map can see, from the first to the last, before the classifier averages over all places."""
    fields, _ = _fields(design.body, 1)
    return {1 + grown: count for grown, count in sorted(fields.items())}


def depth_of(node: Node) -> int:
    """The layers on the deepest path through a node."""
    return max(_fold(node))


@dataclass(frozen=True)
class Chain:
    """A design as a chain of fusions: `blocks[b][k]` is the depth of the block of base network k before fusion b,
    `outside` counts the layers that all base networks share (stem, classifier), `free[b]` says whether the join
    of fusion b lets its blocks be exchanged."""

    blocks: tuple[tuple[int, ...], ...]
    outside: int
    free: tuple[bool, ...]

    @property
    def bases(self) -> int:
        return len(self.blocks[0]) if self.blocks else 1


def chain(design: Design) -> Chain:
    """The chain that a design is; raises DesignError where fusions are nested or differ in their branches, and where
    streams stay apart."""
    if _contains(design.body, MergeRun):
        raise DesignError("design", "streams that stay apart", "a chain of fusions with equally many branches")
    fusions = [node for node in design.body.nodes if isinstance(node, Fusion)]
    nested = [f for f in fusions if any(_contains(branch, Fusion) for branch in f.branches)]
    odd = [f for f in fusions if len(f.branches) != len(fusions[0].branches)]
    if nested or odd or any(isinstance(n, Series) and _contains(n, Fusion) for n in design.body.nodes):
        raise DesignError("design", "nested or unequal fusions", "a chain of fusions with equally many branches")
    shared = Series(nodes=tuple(node for node in design.body.nodes if not isinstance(node, Fusion)))
    blocks = tuple(tuple(depth_of(branch) for branch in f.branches) for f in fusions)
    return Chain(blocks, depth_of(shared), tuple(f.join in SYMMETRIC_JOINS for f in fusions))


def base_networks(design: Design) -> Iterator[tuple[tuple[int, ...], int]]:
    """Every base network as (branch chosen at each fusion, depth), one after another and never all in memory."""
    links = chain(design)
    for choice in product(range(links.bases), repeat=len(links.blocks)):
        yield choice, links.outside + sum(row[k] for row, k in zip(links.blocks, choice, strict=True))


def base_depths(design: Design) -> tuple[int, ...]:
    """The depths of the K base networks as they stand, branch k at every fusion."""
    links = chain(design)
    return tuple(links.outside + sum(row[k] for row in links.blocks) for k in range(links.bases))


def example_paths(design: Design) -> dict[int, tuple[int, ...]]:
    """One path of every depth that occurs, as the branch chosen at each fusion, from shallow to deep."""
    links = chain(design)
    rest = [1]  # bit d of the entry for n fusions: whether the last n of them can add d layers
    for row in reversed(links.blocks):
        rest.append(reduce(or_, (rest[-1] << depth for depth in row)))
    ways = list(zip(links.blocks, reversed(rest[:-1]), strict=True))
    examples = {}
    for total in range(rest[-1].bit_length()):
        if rest[-1] >> total & 1:
            wanted, choice = total, []
            for row, reachable in ways:
                choice.append(next(k for k, d in enumerate(row) if d <= wanted and reachable >> wanted - d & 1))
                wanted -= row[choice[-1]]
            examples[links.outside + total] = tuple(choice)
    return examples


def groups(design: Design) -> int:
    """How many groups of K base networks form this fused net: (K!)^(B-1) for B fusions whose joins do not care
    about order. Blocks under the other joins, such as a `gate`, keep their places and count as one fusion together."""
    links = chain(design)
    movable = sum(links.free) + (not all(links.free))
    return factorial(links.bases) ** max(0, movable - 1)


def exchange(design: Design, fusion: int) -> Design:
    """The same fused net with the blocks of one fusion (counted from 1) rotated by one base network.

    Raises DesignError where there is no such fusion, or its join gives every block a place of its own.
    """
    nodes = list(design.body.nodes)
    places = [index for index, node in enumerate(nodes) if isinstance(node, Fusion)]
    if not places:
        raise DesignError("design", "a net without fusions", "a net with fusions, whose blocks can be exchanged")
    node = nodes[places[whole("fusion", fusion, 1, len(places)) - 1]]
    assert isinstance(node, Fusion)
    if node.join not in SYMMETRIC_JOINS:
        raise DesignError("join", node.join, f"one of {', '.join(SYMMETRIC_JOINS)}: its blocks have no fixed place")
    rotated = {"branches": (*node.branches[1:], node.branches[0]), "scales": (*node.scales[1:], *node.scales[:1])}
    nodes[places[fusion - 1]] = node.model_copy(update=rotated)
    return design.model_copy(update={"body": Series(nodes=tuple(nodes))})


@dataclass(frozen=True)
class EssentialDepth:
    """The depth of the deepest member of the group whose deepest member is shallowest; where it is bounded
    rather than solved, `lower` < `depth` and the true value lies between."""

    depth: int
    lower: int

    @property
    def exact(self) -> bool:
        return self.lower == self.depth


def essential_depth(design: Design) -> int:
    """The depth of the deepest member of the group whose deepest member is shallowest (see `essential`)."""
    return essential(design).depth


def essential(design: Design) -> EssentialDepth:
    """The essential depth: exact for K = 2 and where `dfn.design.bottleneck` can solve it, else with bounds."""
    links = chain(design)
    kept = [row for row, free in zip(links.blocks, links.free, strict=True) if not free]
    rows = [row for row, free in zip(links.blocks, links.free, strict=True) if free]
    fixed = [sum(row[k] for row in kept) for k in range(links.bases)]  # blocks that keep their places move as one
    best, lower = smallest_maximum([fixed, *rows])
    return EssentialDepth(links.outside + best, links.outside + lower)


@dataclass(frozen=True)
class Distance:
    """How far a conv of a block lies from the ends, in layers on the shortest path and within its own base
    network: `to_output` and `to_input` count the layers behind and before it (classifier and stem included)."""

    fusion: int
    base: int
    layer: int
    to_output: int
    to_input: int
    alone_to_output: int
    alone_to_input: int


def distances(design: Design) -> list[Distance]:
    """The distances of every conv of every block, fusion by fusion and base network by base network."""
    links = chain(design)
    shortest = [min(row) for row in links.blocks]
    before = [0, *accumulate(shortest)]
    own_before = [[0, *accumulate(row[k] for row in links.blocks)] for k in range(links.bases)]
    shared = _shared_before(design)
    found = []
    for b, row in enumerate(links.blocks):
        for k, depth in enumerate(row):
            for layer in range(1, depth + 1):
                behind = depth - layer + links.outside - shared[b]
                ahead = layer - 1 + shared[b]
                found.append(
                    Distance(
                        b + 1,
                        k,
                        layer,
                        to_output=behind + before[-1] - before[b + 1],
                        to_input=ahead + before[b],
                        alone_to_output=behind + own_before[k][-1] - own_before[k][b + 1],
                        alone_to_input=ahead + own_before[k][b],
                    )
                )
    return found


def _shared_before(design: Design) -> list[int]:
    """How many layers that all base networks share lie before each fusion."""
    counts, layers = [], 0
    for node in design.body.nodes:
        if isinstance(node, Fusion):
            counts.append(layers)
        else:
            layers += depth_of(node)
    return counts


def _fold(node: Node) -> Spectrum:
    """The polynomial of a node: depth -> number of paths."""
    match node:
        case Conv():
            return {0 if node.projection else 1: 1}
        case Head():
            return {1: 1}
        case Pool() | View() | Tap():
            return {0: 1}
        case Series():
            layers = sum(not n.projection for n in node.nodes if isinstance(n, Conv))
            rest = (_fold(n) for n in node.nodes if not isinstance(n, Conv))
            return reduce(_times, rest, {layers: 1})
        case Fusion():
            return reduce(_plus, (_fold(branch) for branch in node.branches))
        case MergeRun():
            return _merged(node, [[_fold(block) for block in step] for step in node.steps])
        case _:
            assert_never(node)


def _fields(node: Node, jump: int) -> tuple[Spectrum, int]:
    """By how much each path through a node lets the receptive field grow, and the distance in input pixels of
    two neighbours behind it."""
    match node:
        case Conv() | Pool():
            return {(node.kernel - 1) * jump: 1}, jump * node.stride
        case View():
            return {0 if node.view == "full" else 2 * jump: 1}, jump
        case Tap() | Head():
            return {0: 1}, jump
        case Series():
            fields: Spectrum = {0: 1}
            for child in node.nodes:
                grown, jump = _fields(child, jump)
                fields = _times(fields, grown)
            return fields, jump
        case Fusion():
            branches = [_fields(branch, jump) for branch in node.branches]
            return reduce(_plus, (fields for fields, _ in branches)), branches[0][1]
        case MergeRun():
            steps = []
            for step in node.steps:
                grown = [_fields(block, jump) for block in step]
                steps.append([fields for fields, _ in grown])
                jump = grown[0][1]
            return _merged(node, steps), jump
        case _:
            assert_never(node)


def _merged(node: MergeRun, steps: list[list[Spectrum]]) -> Spectrum:
    """The paths through streams, from those through the blocks of every step; the mean is a way from each stream
    to each, so two streams that begin as one map are two ways."""
    streams: list[Spectrum] = [{0: 1}] * len(steps[0])
    own, mean = streams, streams[0]
    for blocks in steps:
        own = [_times(stream, block) for stream, block in zip(streams, blocks, strict=True)]
        mean = reduce(_plus, streams)
        streams = [_plus(through, mean) for through in own]
    return reduce(_plus, [*own, mean] if node.end == "merge" else streams)


def _times(a: Spectrum, b: Spectrum) -> Spectrum:
    if len(b) == 1:
        ((shift, count),) = b.items()
        return {d + shift: n * count for d, n in a.items()}
    out: defaultdict[int, int] = defaultdict(int)
    for e, m in b.items():
        for d, n in a.items():
            out[d + e] += n * m
    return out


def _plus(a: Spectrum, b: Spectrum) -> Spectrum:
    return {d: a.get(d, 0) + b.get(d, 0) for d in a.keys() | b.keys()}


def _contains(series: Series, kind: type[Fusion | MergeRun]) -> bool:
    inside = [series]
    for node in inside:
        inside += [n for n in node.nodes if isinstance(n, Series)]
        inside += [branch for n in node.nodes if isinstance(n, Fusion) for branch in n.branches]
    return any(isinstance(n, kind) for node in inside for n in node.nodes)
