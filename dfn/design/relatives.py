"""Designs of the methods that deep fusion stands beside: inception modules with residual scaling, several views of one
image, whole nets that only vote, and classifiers on the way."""

from typing import Literal

from dfn.design.errors import DesignError, whole
from dfn.design.nodes import Conv, Fusion, Head, Join, Node, Series, Tap, View
from dfn.design.spec import Design, Norm
from dfn.design.stages import MAX_DEPTH, MAX_FUSIONS, MAX_WIDTH, STAGES, blocks_of, net_of, plain, shares, staged

VIEWS: tuple[Literal["full", "low-pass", "edges"], ...] = ("full", "low-pass", "edges")


def inception_resnet(
    modules: int = 6, width: int = 16, classes: int = 10, in_channels: int = 3, scale: float = 0.2
) -> Design:
    """A residual net whose blocks are inception modules of 1x1, 3x3 and twice 3x3 convs, brought back to the width by
    a 1x1 projection and multiplied by `scale` before they are added (0.1 to 0.3 in Inception-v4)."""
    whole("modules", modules, 1, MAX_FUSIONS)
    whole("width", width, 3, MAX_WIDTH)
    body: list[Node] = [Conv(channels=width)]
    for stage, number in staged(modules):
        stride, wide = (2 if number == 0 and stage else 1), width * 2**stage
        c = shares(wide, 3)
        branches = (
            Series(nodes=(Conv(channels=c[0], kernel=1, stride=stride),)),
            Series(nodes=(Conv(channels=c[1], kernel=1), Conv(channels=c[1], stride=stride))),
            Series(nodes=(Conv(channels=c[2], kernel=1), Conv(channels=c[2]), Conv(channels=c[2], stride=stride))),
        )
        back = Conv(channels=wide, kernel=1, projection=True)
        line = (Conv(channels=wide, kernel=1, stride=2, projection=True),) if stride == 2 else ()
        module = Series(nodes=(Fusion(branches=branches, join="concat"), back))
        body.append(Fusion(branches=(module, Series(nodes=line)), scales=(scale, 1.0)))
    return net_of((*body, Head()), classes, in_channels, "batch")


def views(
    fusion: Literal["early", "late", "deep"] = "deep",
    depth: int = 14,
    fusions: int = 6,
    width: int = 16,
    classes: int = 10,
    in_channels: int = 3,
    *,
    norm: Norm = "batch",
    drop_path: float = 0.0,
    global_drop_path: float = 0.0,
) -> Design:
    """Three views of one image (all of it, its low-pass, its edges), each with a stem of its own, joined by the mean
    as MV3D joins its views (arXiv 1611.07759): `early` before one column, `late` behind a column for each view, `deep`
    before and after every block of the columns. Late and deep have the same parameters; early has one column alone."""
    if fusion not in ("early", "late", "deep"):
        raise DesignError("fusion", fusion, "early, late or deep")
    whole("depth", depth, 2, MAX_DEPTH)
    whole("fusions", fusions, 1, MAX_FUSIONS)
    whole("width", width, 1, MAX_WIDTH)
    stems = tuple((View(view=view), Conv(channels=width)) for view in VIEWS)
    blocks = blocks_of(depth, fusions, width)

    def meet(*branches: tuple[Node, ...]) -> Fusion:
        return Fusion(branches=tuple(Series(nodes=nodes) for nodes in branches), join="mean", drop_path=drop_path)

    match fusion:
        case "early":
            body = (meet(*stems), *sum(blocks, ()))
        case "late":
            body = (meet(*((*stem, *sum(blocks, ())) for stem in stems)),)
        case "deep":
            body = (meet(*stems), *(meet(*[block] * len(VIEWS)) for block in blocks))
    return net_of((*body, Head()), classes, in_channels, norm, global_drop_path)


def columns(
    depth: int = 14,
    width: int = 16,
    join: Join = "mean",
    classes: int = 10,
    in_channels: int = 3,
    *,
    norm: Norm = "batch",
    dropout: float = 0.0,
) -> Design:
    """Multi-column nets: a whole net for each of three views of the image, their logits joined; `adaptive` weighs them
    anew for every image."""
    nodes = plain(depth, STAGES, width, norm=norm, dropout=dropout).body.nodes
    nets = tuple(Series(nodes=(View(view=view), *nodes)) for view in VIEWS)
    return net_of((Fusion(branches=nets, join=join, relu="before"),), classes, in_channels, norm)


def side_outputs(
    depth: int = 14,
    width: int = 16,
    classes: int = 10,
    in_channels: int = 3,
    *,
    norm: Norm = "batch",
) -> Design:
    """A plain net with a classifier behind every stage, whose logits are averaged: nested fusions of logits."""
    whole("depth", depth, 2, MAX_DEPTH)
    whole("width", width, 1, MAX_WIDTH)
    first, second, third = blocks_of(depth, STAGES, width)

    def exits(deeper: tuple[Node, ...], scales: tuple[float, ...]) -> Fusion:
        return Fusion(branches=(Series(nodes=deeper), Series(nodes=(Head(),))), relu="before", scales=scales)

    inner = (*second, exits((*third, Head()), ()))
    outer = exits(inner, (1 / STAGES,) * 2)  # of a sum of three: the mean
    return net_of((Conv(channels=width), *first, Tap(name="block1"), outer), classes, in_channels, norm)
