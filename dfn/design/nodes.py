"""The seven kinds of node that a design is made of.

A design is a tree of these; every quantity of a net (its paths, its cost, its picture, its torch modules) is a
fold over the tree that matches on the kind and ends in `assert_never`, so that a new kind fails type checking in
every fold that forgot it. A node says what a layer is, never where its normalisation and its ReLU go: that is
stated once, in `dfn.models.build`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_CHANNELS = 4096
MAX_BRANCHES = 64

Join = Literal["sum", "mean", "max", "concat", "gate"]
SYMMETRIC_JOINS: tuple[Join, ...] = ("sum", "mean", "max")
"""Joins that give the same map in whatever order their blocks stand, so that blocks can be exchanged."""

Channels = Annotated[int, Field(strict=True, ge=1, le=MAX_CHANNELS)]
Kernel = Annotated[int, Field(strict=True, ge=1, le=15)]
Stride = Annotated[int, Field(strict=True, ge=1, le=16)]
Probability = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]


class _Node(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Conv(_Node):
    """A convolution with "same" padding; counts 1 in the depth, or 0 as a `projection` (a 1x1 that only adapts
    the shape). `dropout` acts on its output."""

    kind: Literal["conv"] = "conv"
    channels: Channels
    kernel: Kernel = 3
    stride: Stride = 1
    projection: bool = False
    dropout: Probability = 0.0


class Pool(_Node):
    """Pooling; counts 0 in the depth. The output has ceil(size / stride) rows and columns, as after a conv."""

    kind: Literal["pool"] = "pool"
    mode: Literal["average", "max"] = "average"
    kernel: Kernel = 2
    stride: Stride = 2


class View(_Node):
    """A fixed look at its input: `full` (unchanged), `low-pass` (3x3 binomial blur) or `edges` (what the blur
    takes away). The views of multi-view fusion (MV3D, arXiv 1611.07759)."""

    kind: Literal["view"] = "view"
    view: Literal["full", "low-pass", "edges"]


class Tap(_Node):
    """A name for the map at this place; computes nothing."""

    kind: Literal["tap"] = "tap"
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Head(_Node):
    """The classifier: global average pooling, dropout, one linear layer. Counts 1 in the depth and ends a path."""

    kind: Literal["head"] = "head"
    dropout: Probability = 0.0


class Series(_Node):
    """Nodes one after another; without nodes it is the identity."""

    kind: Literal["series"] = "series"
    nodes: tuple["Node", ...] = ()


class Fusion(_Node):
    """Branches that read the same map and are joined (arXiv 1605.07716, section 2).

    `relu` says whether the ReLU follows the join (the group's own code) or stands in every branch before it.
    `drop_path` is the probability with which training drops a branch of one image; one branch always stays.
    """

    kind: Literal["fusion"] = "fusion"
    branches: Annotated[tuple[Series, ...], Field(min_length=2, max_length=MAX_BRANCHES)]
    join: Join = "sum"
    relu: Literal["after", "before"] = "after"
    drop_path: Probability = 0.0


Node = Annotated[Conv | Pool | View | Tap | Head | Series | Fusion, Field(discriminator="kind")]

Series.model_rebuild()
Fusion.model_rebuild()


def lane_names(count: int) -> tuple[str, ...]:
    """The names of the base networks of a fusion with `count` branches, as they stand in a trace."""
    return ("deep", "shallow") if count == 2 else tuple(f"base{k}" for k in range(1, count + 1))
