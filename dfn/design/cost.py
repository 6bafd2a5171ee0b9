"""What a design costs: shapes, parameters, multiply-adds and activation bytes, without building anything.

One walk over the tree carries the shape of the map. Multiply-adds are counted for convs, learned joins and the
classifier, as is usual; normalisation adds two parameters a channel and no multiply-adds.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, gcd
from typing import TYPE_CHECKING, assert_never

from dfn.design.errors import DesignError, whole
from dfn.design.nodes import LOGIT_JOINS, Conv, Fusion, Head, MergeRun, Node, Pool, Series, Tap, View, lane_names

if TYPE_CHECKING:
    from dfn.design.spec import Design

MAX_SIDE = 4096
BYTES_PER_VALUE = 4
ADAPTIVE_HIDDEN = 16  # units between the pooled maps and the weights of an adaptive join; ours


@dataclass(frozen=True, slots=True)
class Signal:
    """The shape of a map on its way: channels x height x width, and the product of the strides so far.

    Logits have height and width 0.
    """

    channels: int
    height: int
    width: int
    stride: int = 1

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.channels, self.height, self.width) if self.height else (self.channels,)

    @property
    def values(self) -> int:
        return self.channels * max(1, self.height * self.width)


@dataclass(frozen=True, slots=True)
class Layer:
    """One node that computes something, with what goes in, what comes out and what it costs for one image."""

    name: str
    node: Node
    before: Signal
    after: Signal
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Sums over the layers of a design, for one image of `input_shape` (channels, height, width).

    `activation_bytes` are the float32 outputs of convs, joins and the classifier that training keeps.
    """

    input_shape: tuple[int, int, int]
    parameters: int
    macs: int
    activation_bytes: int
    shapes: dict[str, tuple[int, ...]]


def layers(design: "Design", input_shape: tuple[int, int, int] | None = None) -> Iterator[Layer]:
    """Every conv, pool, view, tap, join and classifier in the order in which an image meets them.

    Raises DesignError where the branches of a join do not fit together or a path lacks its classifier.
    """
    signal = Signal(*full_shape(design, input_shape))
    after = yield from _walk(design.body, signal, design, "body", "")
    if after.height:
        raise DesignError("body", "a net without a classifier", "a `head` node at the end of every path")


def cost(design: "Design", input_shape: tuple[int, int, int] | None = None) -> Cost:
    """Parameters, multiply-adds, activation bytes and the shape of every named map for one image.

    `input_shape` is (channels, height, width); 32 x 32 pixels when it is not given.
    """
    parameters = macs = values = 0
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in layers(design, input_shape):
        parameters += layer.parameters
        macs += layer.macs
        if isinstance(layer.node, Conv | Fusion | MergeRun | Head):
            values += layer.after.values
        shapes[layer.name] = layer.after.shape
    return Cost(full_shape(design, input_shape), parameters, macs, values * BYTES_PER_VALUE, shapes)


def full_shape(design: "Design", input_shape: tuple[int, int, int] | None) -> tuple[int, int, int]:
    """The shape of an image: (channels, height, width), 32 x 32 pixels when it is not given; raises DesignError."""
    if input_shape is None:
        return (design.in_channels, 32, 32)
    if not isinstance(input_shape, tuple | list) or len(input_shape) != 3:
        raise DesignError("input_shape", input_shape, "three whole numbers: channels, height and width")
    channels, height, width = input_shape
    whole("input_shape[0]", channels, design.in_channels, design.in_channels)
    return (channels, whole("input_shape[1]", height, 1, MAX_SIDE), whole("input_shape[2]", width, 1, MAX_SIDE))


def _walk(node: Node, x: Signal, design: "Design", field: str, name: str) -> Iterator[Layer]:
    """Yield the layers of `node` fed with `x`; return the signal behind it (a generator's return value)."""
    if not x.height and not isinstance(node, Series | Tap):
        raise DesignError(field, f"a {node.kind} behind the classifier", "nothing behind a `head` node")
    per_channel = 1 if design.norm == "none" else 2  # gamma and beta, or a bias
    match node:
        case Conv():
            if node.kernel % 2 == 0:
                raise DesignError(f"{field}.kernel", node.kernel, "an odd number, so that padding is even")
            after = _strided(x, node.stride, node.channels, field)
            weights = node.kernel**2 * x.channels * node.channels
            macs = weights * after.height * after.width
            yield Layer(name, node, x, after, weights + per_channel * node.channels, macs)
        case Pool():
            if node.kernel % 2 == 0 and node.kernel != node.stride:
                raise DesignError(f"{field}.kernel", node.kernel, "an odd number, or the stride itself")
            after = _strided(x, node.stride, x.channels, field)
            yield Layer(name, node, x, after, 0, 0)
        case View() | Tap():
            after = x
            yield Layer(name, node, x, after, 0, 0)
        case Head():
            after = Signal(design.classes, 0, 0, x.stride)
            weights = x.channels * design.classes
            yield Layer(name, node, x, after, weights + design.classes, weights)
        case Series():
            after = x
            for index, (own, child) in enumerate(named_children(node, name)):
                after = yield from _walk(child, after, design, f"{field}.nodes[{index}]", own)
        case Fusion():
            outs = []
            for index, (own, branch) in enumerate(named_branches(node, name)):
                outs.append((yield from _walk(branch, x, design, f"{field}.branches[{index}]", own)))
            after = _joined(node, outs, field)
            yield Layer(f"{name}/joined", node, x, after, *join_weights(node, x, after))
        case MergeRun():
            after = x
            for number, (step, blocks) in enumerate(named_steps(node, name)):
                before, outs = after, []
                for index, (own, block) in enumerate(blocks):
                    place = f"{field}.steps[{number}][{index}]"
                    outs.append((yield from _walk(block, before, design, place, own)))
                after = _meeting(outs, f"{field}.steps[{number}]")
                if line := line_of(before, after):
                    for index in range(len(blocks)):
                        yield from _walk(line, before, design, field, f"{step}/line{index + 1}")
                if number < len(node.steps) - 1 or node.end == "concat":
                    for index in range(len(blocks)):
                        yield Layer(f"{step}/stream{index + 1}", node, before, after, 0, 0)
            if node.end == "concat":
                after = replace(after, channels=after.channels * len(node.steps[0]))
            yield Layer(f"{name}/joined", node, x, after, 0, 0)
        case _:
            assert_never(node)
    return after


def _strided(x: Signal, stride: int, channels: int, field: str) -> Signal:
    if x.stride * stride > MAX_SIDE:
        raise DesignError(f"{field}.stride", stride, f"strides that multiply to at most {MAX_SIDE}")
    return Signal(channels, ceil(x.height / stride), ceil(x.width / stride), x.stride * stride)


def _joined(fusion: Fusion, outs: list[Signal], field: str) -> Signal:
    """The signal behind a join; raises DesignError where the branches do not fit together."""
    first = outs[0]
    if any(not out.height for out in outs):
        if any(out.height for out in outs):
            raise DesignError(field, "a join of logits and maps", "a classifier in every branch or in none")
        if fusion.join not in LOGIT_JOINS:
            accepted = f"{', '.join(LOGIT_JOINS)} between whole nets (their logits)"
            raise DesignError(f"{field}.join", fusion.join, accepted)
        return first
    if fusion.join == "concat":
        _meeting([replace(out, channels=first.channels) for out in outs], f"{field}.branches")
        return replace(first, channels=sum(out.channels for out in outs))
    return _meeting(outs, f"{field}.branches")


def _meeting(outs: list[Signal], field: str) -> Signal:
    """The one shape that all these maps have; raises DesignError."""
    first = outs[0]
    for index, out in enumerate(outs):
        if not out.height:
            raise DesignError(f"{field}[{index}]", "a classifier in a stream", "a classifier behind the streams")
        if (out.channels, out.stride) != (first.channels, first.stride):
            wanted = f"{first.channels} channels at 1/{first.stride}"
            raise DesignError(
                f"{field}[{index}]",
                f"a map of {out.channels} channels at 1/{out.stride} of the size",
                f"what {field.rpartition('.')[2]}[0] gives, {wanted} (add a projection)",
            )
    return first


def line_of(before: Signal, after: Signal) -> Conv | None:
    """The projection by which a stream reaches the mean of its step; None where the step keeps the shape."""
    if (before.channels, before.stride) == (after.channels, after.stride):
        return None
    return Conv(channels=after.channels, kernel=1, stride=after.stride // before.stride, projection=True)


def join_weights(fusion: Fusion, x: Signal, after: Signal) -> tuple[int, int]:
    """Parameters and multiply-adds of what a join learns. A gate: a 3x3 conv with bias from the fusion's input to one
    weight map for every branch but the last. `weighted`: a number a branch. `adaptive`: two linear layers with biases
    from the pooled maps of all branches to a weight for each."""
    branches = len(fusion.branches)
    match fusion.join:
        case "gate":
            maps = (branches - 1) * after.channels
            weights = 9 * x.channels * maps
            return weights + maps, weights * after.height * after.width
        case "weighted":
            return branches, 0
        case "adaptive":
            weights = branches * after.channels * ADAPTIVE_HIDDEN + ADAPTIVE_HIDDEN * branches
            return weights + ADAPTIVE_HIDDEN + branches, weights
        case "sum" | "mean" | "max" | "concat" | "inverse-variance":
            return 0, 0
        case _:
            assert_never(fusion.join)


def norm_groups(channels: int) -> int:
    """How many groups group norm makes of so many channels: equal ones of about 8 channels each (a rule of ours), so
    that a group has something to average also where the map is one place."""
    return gcd(channels, max(1, channels // 8))


def named_children(series: Series, name: str) -> Iterator[tuple[str, Node]]:
    """The children of a series, each with its name: `stem` for the first conv of a net, `fusion<n>` for its n-th
    fusion, `logits` for its classifier, a tap's own name, and kind and number for everything else."""
    seen: Counter[str] = Counter()
    is_net = any(isinstance(n, Head) for n in series.nodes)  # from an image to logits: a body, or a decision fusion's
    for child in series.nodes:
        seen[child.kind] += 1
        match child:
            case Tap():
                own = child.name
            case Head():
                own = "logits"
            case Conv() if is_net and seen["conv"] == 1:
                own = "stem"
            case Conv() | Pool() | View() | Series() | Fusion() | MergeRun():
                own = f"{child.kind}{seen[child.kind]}"
            case _:
                assert_never(child)
        yield f"{name}/{own}" if name else own, child


def named_branches(fusion: Fusion, name: str) -> Iterator[tuple[str, Series]]:
    """The branches of a fusion, each with the name of its map, such as `fusion2/deep`."""
    for lane, branch in zip(lane_names(len(fusion.branches)), fusion.branches, strict=True):
        yield f"{name}/{lane}", branch


def named_steps(merge: MergeRun, name: str) -> Iterator[tuple[str, list[tuple[str, Series]]]]:
    """The steps of streams, such as `merge1/step2`, each with its blocks and the names of their maps."""
    for number, blocks in enumerate(merge.steps, start=1):
        step = f"{name}/step{number}"
        yield step, [(f"{step}/block{k}", block) for k, block in enumerate(blocks, start=1)]
