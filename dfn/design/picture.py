"""The drawing of a net, made from its design: what the net diagram shows, and which map feeds which.

Elements nest as the design does; ids are the names of a trace, so that a click on the drawing names a tensor. An
edge stands for a tensor dependency and there is no other edge (a test compares them with autograd's graph).
"""

from collections.abc import Sequence
from typing import Any, assert_never

from dfn.design import paths
from dfn.design.cost import Signal, full_shape, layers, named_branches, named_children, named_steps
from dfn.design.errors import DesignError
from dfn.design.nodes import SYMMETRIC_JOINS, Conv, Fusion, Head, MergeRun, Node, Pool, Series, Tap, View, lane_names
from dfn.design.spec import Design

Origins = Sequence[Sequence[int]]


def picture(
    design: Design, input_shape: tuple[int, int, int] | None = None, origins: Origins | None = None
) -> dict[str, Any]:
    """What the net diagram draws, as plain data: elements, stages, lanes, spectrum and essential depth.

    `input_shape` is (channels, height, width). `origins[b][k]` says from which base network the block in lane k of
    fusion b first came (after exchanges); by default every block is at home.
    """
    if origins is not None:
        _check_origins(design, origins)
    shapes = {layer.name: layer.after for layer in layers(design, input_shape)}
    channels, height, width = full_shape(design, input_shape)
    image = {"kind": "image", "id": "input", "channels": channels, "size": [height, width]}
    elements = [image, *_Drawing(shapes, design.classes, origins).series(design.body, "", top=True)]
    try:
        examples = {depth: list(choice) for depth, choice in paths.example_paths(design).items()}
        lanes, essential = _lanes(design), paths.essential(design)
    except DesignError:  # fusions inside fusions: paths still have depths, but there are no lanes to walk along
        examples, lanes, essential = {}, [], None
    spectrum = [
        {"depth": depth, "count": str(count), "example": examples.get(depth)}
        for depth, count in sorted(paths.path_spectrum(design).items())
    ]
    return {
        "elements": elements,
        "stages": _stages(elements),
        "lanes": lanes,
        "spectrum": spectrum,
        "essential_depth": essential and essential.depth,
        "essential_exact": essential and essential.exact,
    }


def _check_origins(design: Design, origins: Origins) -> None:
    fusions = [node for node in design.body.nodes if isinstance(node, Fusion)]
    if [sorted(row) for row in origins] != [list(range(len(fusion.branches))) for fusion in fusions]:
        raise DesignError(
            "origins", origins, "for every fusion the base networks that its blocks come from, such as [[0, 1], [1, 0]]"
        )


def edges(design: Design) -> list[tuple[str, str]]:
    """Which named map is computed from which, in the order of the computation; `input` is the image."""
    found: list[tuple[str, str]] = []
    last = _edges(design.body, "", "input", found)
    named = any(target == "logits" for _, target in found)
    return found if named else [*found, (last, "logits")]  # the last join of whole nets gives the logits


def _edges(series: Series, name: str, source: str, found: list[tuple[str, str]]) -> str:
    for own, node in named_children(series, name):
        match node:
            case Conv() if own.rpartition("/")[2] == "stem":
                found.append((source, own))
                source = own
            case Tap() | Head():
                found.append((source, own))
                source = own
            case Series():
                source = _edges(node, own, source, found)
            case Fusion():
                for lane, branch in named_branches(node, own):
                    found.append((_edges(branch, lane, source, found), lane))
                found += [(lane, f"{own}/joined") for lane, _ in named_branches(node, own)]
                if node.join == "gate":
                    found.append((source, f"{own}/joined"))
                source = f"{own}/joined"
            case MergeRun():
                streams = [source] * len(node.steps[0])
                for step, blocks in named_steps(node, own):
                    for (block_name, block), stream in zip(blocks, streams, strict=True):
                        found.append((_edges(block, block_name, stream, found), block_name))
                    last = step.endswith(f"/step{len(node.steps)}") and node.end == "merge"
                    ends = [f"{own}/joined"] if last else [f"{step}/stream{k + 1}" for k in range(len(blocks))]
                    for k, end in enumerate(ends):
                        found += [(block_name, end) for block_name, _ in (blocks if last else blocks[k : k + 1])]
                        found += [(stream, end) for stream in dict.fromkeys(streams)]
                    streams = ends
                source = f"{own}/joined"
                if node.end == "concat":
                    found += [(stream, source) for stream in streams]
            case Conv() | Pool() | View():
                pass
            case _:
                assert_never(node)
    return source


class _Drawing:
    """One walk over the design that knows the shape behind every layer."""

    def __init__(self, shapes: dict[str, Signal], classes: int, origins: Origins | None):
        self.shapes, self.classes, self.origins = shapes, classes, origins

    def series(self, series: Series, name: str, top: bool = False) -> list[dict[str, Any]]:
        drawn: list[dict[str, Any]] = []
        for own, node in named_children(series, name):
            if isinstance(node, Series):
                drawn += self.series(node, own)
                continue
            element = self.element(node, own, top)
            if not _extends(drawn, element):
                drawn.append(element)
        return drawn

    def element(self, node: Node, name: str, top: bool) -> dict[str, Any]:
        if isinstance(node, Fusion):
            return self.fusion(node, name, top)
        if isinstance(node, MergeRun):
            return self.merge(node, name)
        after = self.shapes[name]
        place = {"id": name, "channels": after.channels, "size": [after.height, after.width]}
        match node:
            case Conv() if node.projection:
                return {"kind": "projection", **place}
            case Conv():
                return {"kind": "convs", "convs": 1, **place}
            case Pool() | View() | Tap():
                return {"kind": node.kind, **place}
            case Head():
                return {"kind": "head", "id": name, "classes": self.classes}
            case Series():
                raise AssertionError("a series is opened by its parent")
            case _:
                assert_never(node)

    def fusion(self, node: Fusion, name: str, top: bool) -> dict[str, Any]:
        index = int(name.rpartition("fusion")[2])
        after = self.shapes[f"{name}/joined"]
        homes = self.origins[index - 1] if top and self.origins else range(len(node.branches))
        branches = [
            {
                "id": own,
                "lane": k,
                "origin": homes[k],
                "depth": paths.depth_of(branch),
                "elements": self.series(branch, own),
            }
            for k, (own, branch) in enumerate(named_branches(node, name))
        ]
        return {
            "kind": "fusion",
            "id": f"{name}/joined",
            "index": index,
            "join": node.join,
            # whole nets that meet in their logits change nothing but their order
            "exchangeable": top and node.join in SYMMETRIC_JOINS and after.height > 0,
            "channels": after.channels,
            "size": [after.height, after.width],
            "branches": branches,
        } | ({"scales": list(node.scales)} if node.scales else {})

    def merge(self, node: MergeRun, name: str) -> dict[str, Any]:
        after = self.shapes[f"{name}/joined"]
        return {
            "kind": "merge",
            "id": f"{name}/joined",
            "end": node.end,
            "channels": after.channels,
            "size": [after.height, after.width],
            "steps": [
                {
                    "projected": f"{step}/line1" in self.shapes,
                    "blocks": [
                        {"id": own, "depth": paths.depth_of(block), "elements": self.series(block, own)}
                        for own, block in blocks
                    ],
                }
                for step, blocks in named_steps(node, name)
            ],
        }


def _extends(drawn: list[dict[str, Any]], element: dict[str, Any]) -> bool:
    """Whether a conv goes on with the run of convs before it (same map, nothing named in between)."""
    if not drawn or element["kind"] != "convs" or drawn[-1]["kind"] != "convs":
        return False
    last = drawn[-1]
    if last["id"].rpartition("/")[2] == "stem" or (last["channels"], last["size"]) != (
        element["channels"],
        element["size"],
    ):
        return False
    last["convs"] += 1
    return True


def _lanes(design: Design) -> list[dict[str, Any]]:
    depths = paths.base_depths(design)
    names = lane_names(len(depths)) if len(depths) > 1 else ("plain",)
    return [{"name": name, "role": name, "depth": depth} for name, depth in zip(names, depths, strict=True)]


def _stages(elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Runs of blocks that work at one size, each with its (height, width, channels); a block that crosses stages has
    two, where it begins and where it ends."""
    stages: list[dict[str, Any]] = []
    for index, element in enumerate(elements):
        if element["kind"] in ("image", "head") or element["id"].rpartition("/")[2] == "stem":
            continue
        sizes = _sizes(element)
        if not sizes:
            continue
        first, last = sizes[0], sizes[-1]
        same = first[:2] == last[:2]  # at one size the width is that of the map that goes on, whatever a branch has
        shapes = [list(shape) for shape in ((last,) if same else (first, last))]
        if stages and (stages[-1]["shapes"] == shapes or element["kind"] in ("tap", "pool")):
            stages[-1]["elements"].append(index)
        else:
            stages.append({"shapes": shapes, "elements": [index]})
    return stages


def _sizes(element: dict[str, Any]) -> list[tuple[int, int, int]]:
    if element["kind"] not in ("fusion", "merge"):
        return [(*element["size"], element["channels"])] if "size" in element else []
    first = element["branches"][:1] if element["kind"] == "fusion" else [step["blocks"][0] for step in element["steps"]]
    inner = [size for branch in first for e in branch["elements"] for size in _sizes(e)]
    joined = [(*element["size"], element["channels"])]
    return [size for size in inner + joined if size[0]]
