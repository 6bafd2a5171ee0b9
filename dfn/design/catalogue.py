"""Named designs: each a short function from a few depths to a design, with its source and how sure it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dfn.design.errors import DesignError, whole
from dfn.design.nodes import (
    LOGIT_JOINS,
    MAX_BRANCHES,
    MAX_CHANNELS,
    Conv,
    Fusion,
    Head,
    Join,
    MergeRun,
    Node,
    Pool,
    Series,
)
from dfn.design.relatives import columns, inception_resnet, side_outputs, views
from dfn.design.spec import MAX_NODES, Design, Norm
from dfn.design.stages import (
    MAX_DEPTH,
    MAX_FUSIONS,
    MAX_WIDTH,
    STAGES,
    blocks_of,
    net_of,
    plain,
    shares,
    spans,
    staged,
)

Status = Literal["paper", "reconstruction", "ours"]


@dataclass(frozen=True)
class Entry:
    """A named design. `make(**settings)` gives the Design; `status` says how close it is to its source."""

    title: str
    source: str
    status: Status
    make: Callable[..., Design]


def catalogue() -> dict[str, Entry]:
    """Every named design of the project, by the name that the shell and the app use."""
    return dict(_ENTRIES)


def fused(
    deep: int = 26,
    shallow: int = 8,
    fusions: int = 6,
    width: int = 16,
    join: Join = "sum",
    classes: int = 10,
    in_channels: int = 3,
    *,
    bases: Sequence[int] | None = None,
    norm: Norm = "batch",
    relu: Literal["after", "before"] = "after",
    dropout: float = 0.0,
    drop_path: float = 0.0,
    global_drop_path: float = 0.0,
    gate_bias: float = -2.0,
    scales: Sequence[float] = (),
) -> Design:
    """The deeply-fused net of base networks with these depths (arXiv 1605.07716, section 2).

    `bases` gives K >= 2 depths instead of `deep` and `shallow`. `fusions`: 0 averages the logits of whole nets
    (decision fusion), 1 joins after the last stage (late fusion), 2 after stages 2 and 3, more are spread over the
    stages. `scales` are fixed coefficients of the branches of a sum. Raises DesignError with the field, the value and
    what would be accepted.
    """
    if bases is None:
        whole("deep", deep, 2, MAX_DEPTH)
        whole("shallow", shallow, 2, MAX_DEPTH)
        bases = (deep, shallow)
    if not isinstance(bases, Sequence) or not 2 <= len(bases) <= MAX_BRANCHES:
        raise DesignError("bases", bases, f"from 2 to {MAX_BRANCHES} depths")
    for index, depth in enumerate(bases):
        whole(f"bases[{index}]", depth, 2, MAX_DEPTH)
    whole("fusions", fusions, 0, MAX_FUSIONS)
    if sum(bases) + len(bases) * fusions > MAX_NODES:
        raise DesignError("bases", bases, f"at most {MAX_NODES} layers and blocks in all")
    whole("width", width, 1, MAX_WIDTH)
    if fusions == 0:
        if join not in LOGIT_JOINS or join == "max":
            accepted = ", ".join(name for name in LOGIT_JOINS if name != "max")
            raise DesignError("join", join, f"{accepted} where fusions is 0: whole nets meet only in their logits")
        nets = [plain(depth, fusions=STAGES, width=width, dropout=dropout).body for depth in bases]
        # whichever of sum and mean was asked for: decision fusion averages, and the class is the same
        votes: Join = "mean" if join == "sum" else join
        body: tuple[Node, ...] = (Fusion(branches=tuple(nets), join=votes, relu="before", drop_path=drop_path),)
        return net_of(body, classes, in_channels, norm, global_drop_path)
    if join == "concat" and width < len(bases):
        raise DesignError("width", width, f"at least {len(bases)}, one channel for every branch of a concat")
    rows = [blocks_of(depth, fusions, width) for depth in bases]
    joins = []
    for span, *blocks in zip(spans(fusions), *rows, strict=True):
        if join == "concat":
            blocks = _narrowed(blocks, width * 2 ** span[-1][0])
        branches = tuple(Series(nodes=block) for block in blocks)
        more = {"drop_path": drop_path, "gate_bias": gate_bias, "scales": tuple(scales)}
        joins.append(Fusion(branches=branches, join=join, relu=relu, **more))
    return net_of((Conv(channels=width), *joins, Head(dropout=dropout)), classes, in_channels, norm, global_drop_path)


def resnet(depth: int = 20, width: int = 16, classes: int = 10, in_channels: int = 3, **settings: Any) -> Design:
    """A residual net: the fused net of a deep base network with one of depth 2, joined after every two convs."""
    whole("depth", depth, 2, 2 * MAX_FUSIONS + 3)
    fusions = max(STAGES, (depth - 2) // 2)
    return fused(depth, 2, fusions, width, "sum", classes, in_channels, **settings)


def highway(depth: int = 20, width: int = 16, classes: int = 10, in_channels: int = 3, **settings: Any) -> Design:
    """A highway net: the identity and one conv with its ReLU, weighed by a learned gate after every conv."""
    whole("depth", depth, 3, MAX_FUSIONS + 2)
    settings = {"norm": "none", "relu": "before"} | settings
    return fused(depth, 2, depth - 2, width, "gate", classes, in_channels, **settings)


def merge_run(
    depth: int = 14,
    width: int = 16,
    classes: int = 10,
    in_channels: int = 3,
    *,
    streams: int = 2,
    end: Literal["merge", "concat"] = "merge",
    norm: Norm = "batch",
) -> Design:
    """A merge-and-run net: streams that meet after every two convs. `depth` is that of the deepest path; two streams
    of depth d have the convs of a plain net of depth 2 d - 2."""
    whole("depth", depth, 2, 2 * MAX_FUSIONS + 3)
    whole("width", width, 1, MAX_WIDTH)
    whole("streams", streams, 2, MAX_BRANCHES)
    blocks = blocks_of(depth, max(STAGES, (depth - 2) // 2), width)
    body = MergeRun(steps=tuple((Series(nodes=block),) * streams for block in blocks), end=end)
    return net_of((Conv(channels=width), body, Head()), classes, in_channels, norm)


def inception(modules: int = 6, width: int = 16, classes: int = 10, in_channels: int = 3) -> Design:
    """Deep concatenation fusion: 1x1, 3x3, 5x5 and pooled branches, each a quarter as wide, after every module."""
    whole("modules", modules, 1, MAX_FUSIONS)
    whole("width", width, 4, MAX_WIDTH)
    body: list[Node] = [Conv(channels=width)]
    for stage, number in staged(modules):
        stride, wide = (2 if number == 0 and stage else 1), width * 2**stage
        c = shares(wide, 4)
        branches = (
            Series(nodes=(Conv(channels=c[0], kernel=1, stride=stride),)),
            Series(nodes=(Conv(channels=c[1], kernel=1), Conv(channels=c[1], stride=stride))),
            Series(nodes=(Conv(channels=c[2], kernel=1), Conv(channels=c[2], kernel=5, stride=stride))),
            Series(nodes=(Pool(kernel=3, stride=stride), Conv(channels=c[3], kernel=1))),
        )
        body.append(Fusion(branches=branches, join="concat"))
    return net_of((*body, Head()), classes, in_channels, "batch")


def fractal(
    columns: int = 3,
    blocks: int = 3,
    width: int = 16,
    classes: int = 10,
    in_channels: int = 3,
    drop_path: float = 0.0,
    global_drop_path: float = 0.0,
) -> Design:
    """FractalNet: f1 = conv, f(C+1) = mean of a conv and f(C) after f(C); pooling halves the map after a block."""
    whole("columns", columns, 1, 8)
    whole("blocks", blocks, 1, 8)
    whole("width", width, 1, MAX_CHANNELS // 2**STAGES)

    def grow(level: int, channels: int) -> Series:
        conv = Conv(channels=channels)
        if level == 1:
            return Series(nodes=(conv,))
        inner = grow(level - 1, channels).nodes
        branches = (Series(nodes=(*inner, *inner)), Series(nodes=(conv,)))
        return Series(nodes=(Fusion(branches=branches, join="mean", relu="before", drop_path=drop_path),))

    body: list[Node] = [Conv(channels=width)]
    for block in range(blocks):
        body += [*grow(columns, width * 2 ** min(block, STAGES)).nodes, Pool()]
    return net_of((*body[:-1], Head()), classes, in_channels, "batch", global_drop_path)


def _narrowed(blocks: Sequence[tuple[Conv, ...]], wide: int) -> list[tuple[Conv, ...]]:
    """The blocks of a concat of `wide` channels: the last conv of each gives its share of them, and an identity
    becomes a projection to its share (a branch of an inception module is narrower than what follows)."""
    narrow: list[tuple[Conv, ...]] = []
    for block, channels in zip(blocks, shares(wide, len(blocks)), strict=True):
        last = block[-1] if block else Conv(channels=wide, kernel=1, projection=True)
        narrow.append((*block[:-1], last.model_copy(update={"channels": channels})))
    return narrow


def _decision(deep: int = 26, shallow: int = 8, width: int = 16, **settings: Any) -> Design:
    return fused(deep, shallow, 0, width, **settings)


def _views(fusion: Literal["early", "late", "deep"]) -> Callable[..., Design]:
    def make(depth: int = 14, width: int = 16, **settings: Any) -> Design:
        return views(fusion, depth, width=width, **settings)

    return make


def _adaptive(depth: int = 14, width: int = 16, **settings: Any) -> Design:
    return columns(depth, width, "adaptive", **settings)


def _late(deep: int = 26, shallow: int = 8, width: int = 16, **settings: Any) -> Design:
    return fused(deep, shallow, 1, width, **settings)


_DFN = "Wang, Wei, Zhang, Zeng: Deeply-Fused Nets, arXiv 1605.07716"
_MV3D = "Chen, Ma, Wan, Li, Xia: MV3D, arXiv 1611.07759"
_OUR_VIEWS = "three views of one image, small columns and a ReLU behind every join are ours"
_ENTRIES = {
    "fused": Entry(
        "Deeply-fused net",
        f"{_DFN}, section 2; order of layers after the group's code, zlmzju/fusenet (network/fuse3.py, fuse6.py)",
        "reconstruction",
        fused,
    ),
    "plain": Entry("Plain net", "one base network alone; zlmzju/fusenet (network/plain.py)", "reconstruction", plain),
    "resnet": Entry(
        "Residual net",
        "He, Zhang, Ren, Sun: Deep Residual Learning, arXiv 1512.03385; a 1x1 projection where the shape changes, "
        "as in zlmzju/fusenet (network/resnet.py)",
        "reconstruction",
        resnet,
    ),
    "highway": Entry(
        "Highway net",
        "Srivastava, Greff, Schmidhuber: Training Very Deep Networks, arXiv 1507.06228; strided convs in place of "
        "pooling between stages",
        "reconstruction",
        highway,
    ),
    "merge-run": Entry(
        "Merge-and-run net",
        "the group's follow-up on merge-and-run mappings, arXiv 1611.07718; zlmzju/fusenet (network/cross.py)",
        "reconstruction",
        merge_run,
    ),
    "inception": Entry(
        "Deep concatenation fusion",
        f"after GoogLeNet as {_DFN}, section 2, reads it; average pooling, small and equal branches",
        "ours",
        inception,
    ),
    "fractal": Entry(
        "Fractal net",
        "Larsson, Maire, Shakhnarovich: FractalNet, arXiv 1605.07648; three stages, average pooling and a stem of "
        "one conv are ours",
        "ours",
        fractal,
    ),
    "decision": Entry("Decision fusion", f"averaged predictors, as {_DFN} names it", "paper", _decision),
    "late": Entry("Late fusion", "one join after the last stage; the last map, not the logits", "ours", _late),
    "inception-resnet": Entry(
        "Residual net of inception modules",
        "after Inception-ResNet (the paper's reference 3): residual scaling 0.1 to 0.3; the small modules are ours",
        "ours",
        inception_resnet,
    ),
    "side-outputs": Entry(
        "Side outputs",
        "after holistically-nested nets (the paper's reference 7), for classes instead of edges; a plain mean",
        "ours",
        side_outputs,
    ),
    "multi-column": Entry(
        "Multi-column net",
        "after MCDNN (the paper's reference 21): averaged columns on differently preprocessed inputs; our views",
        "ours",
        columns,
    ),
    "adaptive-columns": Entry(
        "Adaptive multi-column net",
        "after AMC-SSDA (the paper's reference 22): a net predicts the columns' weights; here from their logits (ours)",
        "ours",
        _adaptive,
    ),
    "views-early": Entry(
        "Three views, early fusion", f"{_MV3D}: the formula of early fusion; {_OUR_VIEWS}", "ours", _views("early")
    ),
    "views-late": Entry(
        "Three views, late fusion", f"{_MV3D}: the formula of late fusion; {_OUR_VIEWS}", "ours", _views("late")
    ),
    "views-deep": Entry(
        "Three views, deep fusion", f"{_MV3D}: the formula of deep fusion; {_OUR_VIEWS}", "ours", _views("deep")
    ),
}
