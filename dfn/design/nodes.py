"""The eight kinds of node that a design is made of.

A design is a tree of these; every quantity of a net (its paths, its cost, its picture, its torch modules) is a
fold over the tree that matches on the kind and ends in `assert_never`, so that a new kind fails type checking in
every fold that forgot it. A node says what a layer is, never where its normalisation and its ReLU go: that is
stated once, in `dfn.models.build`.
"""

import re
from typing import Annotated, Any, Literal, assert_never

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, PlainValidator, ValidationError

from dfn.design.errors import DesignError, first_error, whole

MAX_CHANNELS = 4096
MAX_BRANCHES = 64
MAX_SCALE = 1000
MAX_BIAS = 20

Join = Literal["sum", "mean", "max", "concat", "gate", "weighted", "adaptive", "inverse-variance"]
SYMMETRIC_JOINS: tuple[Join, ...] = ("sum", "mean", "max", "inverse-variance")
"""Joins that give the same map in whatever order their blocks stand, so that blocks can be exchanged: what weighs a
block, if anything does, comes from the block itself and moves with it."""
LOGIT_JOINS: tuple[Join, ...] = ("sum", "mean", "max", "weighted", "adaptive", "inverse-variance")
"""Joins that whole nets can meet in."""

_TAP_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_TAKEN = re.compile(r"input|stem|logits|joined|deep|shallow|(base|conv|pool|view|series|fusion|merge)[0-9]+")


def _probability(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError("a number from 0 to less than 1")
    return float(value)


def _scale(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < abs(value) <= MAX_SCALE:
        raise ValueError(f"a number other than 0, from -{MAX_SCALE} to {MAX_SCALE}")
    return float(value)


def _bias(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_BIAS:
        raise ValueError(f"a number from -{MAX_BIAS} to {MAX_BIAS}")
    return float(value)


def _tap_name(value: Any) -> str:
    if not isinstance(value, str) or not _TAP_NAME.fullmatch(value) or _TAKEN.fullmatch(value):
        raise ValueError(
            "a small letter and up to 31 small letters, digits, - or _, and no name that maps have anyway (stem, conv1)"
        )
    return value


def _several(value: Any) -> Any:
    if isinstance(value, list | tuple) and not 2 <= len(value) <= MAX_BRANCHES:
        raise DesignError("", f"a fusion of {len(value)} branches", f"from 2 to {MAX_BRANCHES}")
    return value


def _rows(value: Any) -> Any:
    if isinstance(value, list | tuple):
        rows = [row for row in value if isinstance(row, list | tuple)]
        if not rows or len(rows) < len(value):
            raise DesignError("", value, "one or more steps, each a list with the block of every stream")
        for index, row in enumerate(rows):
            if len(row) != len(rows[0]) or not 2 <= len(row) <= MAX_BRANCHES:
                accepted = f"from 2 to {MAX_BRANCHES}, as many at every step"
                raise DesignError(f"[{index}]", f"a step of {len(row)} streams", accepted)
    return value


def _whole(low: int, high: int) -> PlainValidator:
    return PlainValidator(lambda value: whole("", value, low, high))


Channels = Annotated[int, _whole(1, MAX_CHANNELS)]
Kernel = Annotated[int, _whole(1, 15)]
Stride = Annotated[int, _whole(1, 16)]
Version = Annotated[Literal[1], _whole(1, 1)]
Classes = Annotated[int, _whole(2, 100_000)]
Flag = Annotated[bool, Field(strict=True)]
Probability = Annotated[float, PlainValidator(_probability)]
Scale = Annotated[float, PlainValidator(_scale)]
Bias = Annotated[float, PlainValidator(_bias)]


class Checked(BaseModel):
    """Data that never changes and is checked at birth: what does not fit raises DesignError."""

    model_config = ConfigDict(frozen=True)

    def __init__(self, /, **fields: Any):
        known = type(self).model_fields
        for name, value in fields.items():
            if name not in known:
                raise DesignError(name, value, f"only the fields {', '.join(known)}")
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise first_error(error) from None


class Conv(Checked):
    """A convolution with "same" padding; counts 1 in the depth, or 0 as a `projection` (a 1x1 that only adapts
    the shape). `dropout` acts on its output."""

    kind: Literal["conv"] = "conv"
    channels: Channels
    kernel: Kernel = 3
    stride: Stride = 1
    projection: Flag = False
    dropout: Probability = 0.0


class Pool(Checked):
    """Pooling; counts 0 in the depth. The output has ceil(size / stride) rows and columns, as after a conv."""

    kind: Literal["pool"] = "pool"
    mode: Literal["average", "max"] = "average"
    kernel: Kernel = 2
    stride: Stride = 2


class View(Checked):
    """A fixed look at its input: `full` (unchanged), `low-pass` (3x3 binomial blur) or `edges` (what the blur
    takes away). The views of multi-view fusion (MV3D, arXiv 1611.07759)."""

    kind: Literal["view"] = "view"
    view: Literal["full", "low-pass", "edges"]


class Tap(Checked):
    """A name for the map at this place; computes nothing."""

    kind: Literal["tap"] = "tap"
    name: Annotated[str, PlainValidator(_tap_name)]


class Head(Checked):
    """The classifier: global average pooling, dropout, one linear layer. Counts 1 in the depth and ends a path."""

    kind: Literal["head"] = "head"
    dropout: Probability = 0.0


class Series(Checked):
    """Nodes one after another; without nodes it is the identity."""

    kind: Literal["series"] = "series"
    nodes: Annotated[tuple["Node", ...], FailFast()] = ()


class Fusion(Checked):
    """Branches that read the same map and are joined (arXiv 1605.07716, section 2).

    `relu` says whether the ReLU follows the join (the group's own code) or stands in every branch before it.
    `drop_path` is the probability with which training drops a branch of one image; one branch always stays. `scales`
    are fixed factors of the branches of a sum, such as the residual scaling of Inception-v4; without them all are 1.
    `gate_bias` is where the bias of a gate begins: at -2 the last branch is carried through (arXiv 1507.06228, 2.3).
    """

    kind: Literal["fusion"] = "fusion"
    branches: Annotated[tuple[Series, ...], FailFast(), BeforeValidator(_several)]
    join: Join = "sum"
    relu: Literal["after", "before"] = "after"
    drop_path: Probability = 0.0
    scales: Annotated[tuple[Scale, ...], FailFast()] = ()
    gate_bias: Bias = -2.0

    def model_post_init(self, _: Any) -> None:
        if self.scales and self.join != "sum":
            raise DesignError("scales", f"scales of a {self.join} join", "scales of a sum alone")
        if self.scales and len(self.scales) != len(self.branches):
            raise DesignError(
                "scales", f"a list of {len(self.scales)}", f"one for each of {len(self.branches)} branches"
            )


class MergeRun(Checked):
    """Streams that run side by side and meet at every step without becoming one (merge-and-run mappings, arXiv
    1611.07718): stream k takes its own block's map plus the mean of what all streams were, then a ReLU.

    `steps[s][k]` is the block of stream k at step s; at first all streams are the node's input. Where a step changes
    the shape, every stream reaches the mean through a 1x1 projection of its own. At the last step `merge` adds all
    blocks and the mean into one map (the group's code for CIFAR), `concat` puts the streams side by side.
    """

    kind: Literal["merge"] = "merge"
    steps: Annotated[tuple[tuple[Series, ...], ...], FailFast(), BeforeValidator(_rows)]
    end: Literal["merge", "concat"] = "merge"


Node = Annotated[Conv | Pool | View | Tap | Head | Series | Fusion | MergeRun, Field(discriminator="kind")]

Series.model_rebuild()
Fusion.model_rebuild()
MergeRun.model_rebuild()


def lane_names(count: int) -> tuple[str, ...]:
    """The names of the base networks of a fusion with `count` branches, as they stand in a trace."""
    return ("deep", "shallow") if count == 2 else tuple(f"base{k}" for k in range(1, count + 1))


def has_layers(node: Node) -> bool:
    """Whether a node computes something that is learned, or joins what does; pooling, views and taps do not."""
    match node:
        case Conv() | Head() | Fusion() | MergeRun():
            return True
        case Series():
            return any(map(has_layers, node.nodes))
        case Pool() | View() | Tap():
            return False
        case _:
            assert_never(node)
