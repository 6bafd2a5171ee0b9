"""Receptive fields: which pixels a place of a map can see (theory, path by path) and which of them count (gradients).

A fused net has no single receptive field: every path has its own, so one map holds several scales. What can be seen
in theory is mostly unused; the effective field is far smaller and falls off from its middle (arXiv 1701.04128).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

import torch
from torch import Tensor

from dfn.design.cost import named_branches, named_children, named_steps
from dfn.design.errors import whole
from dfn.design.nodes import Conv, Fusion, Head, MergeRun, Node, Pool, Series, Tap, View
from dfn.design.spec import Design
from dfn.insight.subject import checked_images, gradients_allowed, own_copy, refusal
from dfn.models.build import FusedNet

Field = tuple[int, int]
"""How many pixels a field reaches before and behind the pixel that its place starts from."""


@dataclass(frozen=True)
class Fields:
    """The theoretical fields of a map. The place at row r sees the rows from r * `step` - before to
    r * `step` + behind, for every (before, behind) in `paths`, which says how many paths see just that; columns alike.
    Rows outside the image are padding. The conv of a gate belongs to no path."""

    step: int
    paths: dict[Field, int]

    def sizes(self) -> dict[int, int]:
        """How many paths have each size of field, in pixels along one side."""
        sizes: Counter[int] = Counter()
        for (before, behind), count in self.paths.items():
            sizes[before + behind + 1] += count
        return dict(sorted(sizes.items()))

    def box(self, field: Field, row: int, column: int) -> tuple[int, int, int, int]:
        """Top, left, bottom and right pixel (all inside) of what one place sees by paths with this field."""
        before, behind = field
        top, left = row * self.step, column * self.step
        return top - before, left - before, top + behind, left + behind


def theoretical_fields(design: Design, at: str) -> Fields:
    """The fields of the map `at`, by its name in a trace, one for every path that leads to it. Raises ValueError."""
    for name, step, paths in _walk(design.body, "", 1, {(0, 0): 1}):
        if name == at:
            return Fields(step, dict(sorted(paths.items())))
    raise refusal("at", at, "the name of a map in the net's trace, such as stem or fusion1/joined")


def effective_field(net: FusedNet, x: Tensor, at: str, row: int, column: int, channel: int | None = None) -> Tensor:
    """How much each pixel (H, W) counts for one place of the map `at`: |d map[channel, row, column] / d x|, averaged
    over the images x (N, C, H, W) and their colours, and over all channels of the map where none is given (one backward
    pass for each). In eval mode. Raises ValueError. (arXiv 1701.04128.)
    """
    copy = own_copy(net)
    x = checked_images(copy, x)
    with gradients_allowed():
        x.requires_grad_()
        _, trace = copy.trace(x)
        maps = [name for name, map_ in trace.items() if map_.dim() == 4]
        if at not in maps:
            raise refusal("at", at, f"one of {', '.join(maps)}")
        channels, height, width = trace[at].shape[1:]
        place = trace[at][:, :, whole("row", row, 0, height - 1), whole("column", column, 0, width - 1)].sum(0)
        chosen = range(channels) if channel is None else [whole("channel", channel, 0, channels - 1)]
        total = torch.zeros_like(x[0, 0])
        for index in chosen:
            (gradient,) = torch.autograd.grad(place[index], x, retain_graph=True, materialize_grads=True)
            total += gradient.abs().mean((0, 1))
    return total.detach() / len(chosen)


def side_of_share(field: Tensor, row: int, column: int, share: float) -> int | None:
    """The side, in pixels, of the smallest square round a pixel that holds this share (0 to 1) of a field (H, W); the
    part of it that lies outside the image counts as a part of the side. None where the field is zero."""
    height, width = field.shape
    total = float(field.double().sum())
    if not total:
        return None
    away = torch.maximum((torch.arange(height) - row).abs()[:, None], (torch.arange(width) - column).abs()[None])
    within = torch.zeros(int(away.max()) + 1, dtype=torch.float64)
    within.index_add_(0, away.flatten(), field.double().cpu().flatten())
    reached = within.cumsum(0) >= share * total * (1 - 1e-12)
    return 2 * int(reached.int().argmax()) + 1


Paths = dict[Field, int]


def _walk(node: Node, name: str, step: int, paths: Paths) -> "Iterator[tuple[str, int, Paths]]":
    """The named maps behind a node; last of all, without a name, what leaves it."""
    match node:
        case Conv() | Pool():
            odd = node.kernel % 2 == 1
            padding = node.kernel // 2 if odd else 0
            grown = _grown(paths, padding * step, (node.kernel - 1 - padding) * step)
            if name.rpartition("/")[2] == "stem":
                yield name, step * node.stride, grown
            yield "", step * node.stride, grown
        case View():
            wider = 0 if node.view == "full" else step
            yield "", step, _grown(paths, wider, wider)
        case Tap():
            yield name, step, paths
            yield "", step, paths
        case Head():
            yield "", step, paths
        case Series():
            for own, child in named_children(node, name):
                for found in _walk(child, own, step, paths):
                    if found[0]:
                        yield found
                    else:
                        _, step, paths = found
            yield "", step, paths
        case Fusion():
            joined: Counter[Field] = Counter()
            after = step
            for own, branch in named_branches(node, name):
                for found in _walk(branch, own, step, paths):
                    if found[0]:
                        yield found
                    else:
                        yield own, *found[1:]
                        joined.update(found[2])
                        after = found[1]
            yield f"{name}/joined", after, dict(joined)
            yield "", after, dict(joined)
        case MergeRun():
            streams = [Counter(paths) for _ in node.steps[0]]
            own, mean = streams, streams[0]
            for number, (place, blocks) in enumerate(named_steps(node, name), start=1):
                mean = sum(streams, Counter())
                own, after = [], step
                for (block_name, block), stream in zip(blocks, streams, strict=True):
                    for found in _walk(block, block_name, step, stream):
                        if found[0]:
                            yield found
                        else:
                            yield block_name, *found[1:]
                            own.append(Counter(found[2]))
                            after = found[1]
                step, streams = after, [mine + mean for mine in own]
                if number < len(node.steps) or node.end == "concat":
                    yield from ((f"{place}/stream{k}", step, dict(paths)) for k, paths in enumerate(streams, start=1))
            joined = sum(own, mean) if node.end == "merge" else sum(streams, Counter())
            yield f"{name}/joined", step, dict(joined)
            yield "", step, dict(joined)
        case _:
            assert_never(node)


def _grown(paths: Paths, before: int, behind: int) -> Paths:
    return {(one + before, other + behind): count for (one, other), count in paths.items()}
