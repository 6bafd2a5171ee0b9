"""A base network and its stages: how convs are dealt to blocks, and where the map shrinks.

Depth counts the stem, the convs of the blocks and the classifier. Three stages have widths w, 2w and 4w; a stage is
opened by the first conv of a block with stride 2. Convs are dealt to blocks as evenly as possible, extra ones to the
earlier blocks; a block without convs is the identity, or a 1x1 projection where the shape changes.
"""

from collections.abc import Iterator, Sequence

from dfn.design.errors import whole
from dfn.design.nodes import MAX_CHANNELS, Conv, Head, Node, Series, Tap
from dfn.design.spec import Design, Norm

MAX_DEPTH = 4096
MAX_FUSIONS = 1024
STAGES = 3
MAX_WIDTH = MAX_CHANNELS // 2 ** (STAGES - 1)


def plain(
    depth: int = 26,
    fusions: int = 6,
    width: int = 16,
    classes: int = 10,
    in_channels: int = 3,
    *,
    norm: Norm = "batch",
    dropout: float = 0.0,
) -> Design:
    """One base network alone. `fusions` names the maps (`block1`, `block2`, ...) where a fused net of the same
    depth would be joined, and deals its convs in the same way."""
    whole("depth", depth, 2, MAX_DEPTH)
    whole("fusions", fusions, 0, MAX_FUSIONS)
    whole("width", width, 1, MAX_WIDTH)
    body: list[Node] = [Conv(channels=width)]
    for number, block in enumerate(blocks_of(depth, fusions or STAGES, width), start=1):
        body += [*block, Tap(name=f"block{number}")]
    return net_of((*body, Head(dropout=dropout)), classes, in_channels, norm)


def net_of(body: Sequence[Node], classes: int, in_channels: int, norm: Norm, global_drop_path: float = 0.0) -> Design:
    """The design of a body, its classes and channels checked."""
    whole("classes", classes, 2, 100_000)
    whole("in_channels", in_channels, 1, 4096)
    settings = {"classes": classes, "in_channels": in_channels, "norm": norm, "global_drop_path": global_drop_path}
    return Design(body=Series(nodes=tuple(body)), **settings)


def shares(total: int, parts: int) -> list[int]:
    """`total` dealt to `parts` as evenly as possible, extra ones to the earlier parts."""
    return [total // parts + (index < total % parts) for index in range(parts)]


def staged(blocks: int) -> Iterator[tuple[int, int]]:
    """(stage, number within the stage) of every block when `blocks` >= 3 are spread over the stages."""
    for stage, count in enumerate(shares(blocks, STAGES)):
        yield from ((stage, number) for number in range(count))


def spans(fusions: int) -> list[list[tuple[int, bool]]]:
    """For every block the stages it crosses, each with whether the block opens it."""
    if fusions == 1:
        return [[(0, False), (1, True), (2, True)]]
    if fusions == 2:
        return [[(0, False), (1, True)], [(2, True)]]
    return [[(stage, number == 0 and stage > 0)] for stage, number in staged(fusions)]


def blocks_of(depth: int, fusions: int, width: int) -> list[tuple[Conv, ...]]:
    """The blocks of a base network of this depth, cut at these fusions."""
    dealt = zip(shares(depth - 2, fusions), spans(fusions), strict=True)
    return [_block(convs, span, width) for convs, span in dealt]


def _block(convs: int, span: list[tuple[int, bool]], width: int) -> tuple[Conv, ...]:
    nodes: list[Conv] = []
    stride = 1  # of the stages that opened but have no conv of their own yet
    for count, (stage, opens) in zip(shares(convs, len(span)), span, strict=True):
        stride *= 2 if opens else 1
        if count:
            channels = width * 2**stage
            nodes += [Conv(channels=channels, stride=stride), *[Conv(channels=channels)] * (count - 1)]
            stride = 1
    if stride > 1:
        nodes.append(Conv(channels=width * 2 ** span[-1][0], kernel=1, stride=stride, projection=True))
    return tuple(nodes)
