"""From a design to a torch module. This is the one place that says where what goes:

- a conv is conv - norm - ReLU - dropout; it has a bias only where the design has no norm (a norm has its own);
- a projection is conv - norm, without ReLU;
- where the ReLU stands after the join, the last conv of each branch ends in its norm; then join; then ReLU
  (zlmzju/fusenet, network/fuse3.py); where it stands before, every conv keeps its ReLU and the join is the last word;
- streams (merge-and-run) end every block in its norm; block plus mean of the streams; then a ReLU on every stream;
- a join of logits (decision fusion) has no ReLU; the classifier is average pooling - dropout - linear;
- BN has the momentum and the epsilon of the group's code; weights begin as `dfn.models.initialise` says.

Every ReLU, block and join is a module of its own, nothing is reused and nothing happens in place, so that Captum's
hooks see what they should. `FusedNet.trace` needs no hooks.
"""

from collections import OrderedDict, defaultdict
from typing import assert_never

import torch
from torch import Tensor, nn

from dfn.design.cost import Layer, layers, named_branches, named_children, named_steps, norm_groups
from dfn.design.nodes import Conv, Fusion, Head, MergeRun, Node, Pool, Series, Tap, View, has_layers
from dfn.design.spec import Design, Norm
from dfn.models.initialise import initialise
from dfn.models.joins import Join, added, make_join

BN_EPS = 2e-5
BN_MOMENTUM = 0.1

Trace = dict[str, Tensor]


class FusedNet(nn.Module):
    """The net of a design: images (N, C, H, W), normalised, to logits (N, classes)."""

    def __init__(self, design: Design):
        super().__init__()
        self.design = design
        known = {layer.name: layer for layer in layers(design)}
        self.body = _series(design.body, "", design, known, tail=False)

    def forward(self, x: Tensor) -> Tensor:
        self.draw_column()
        return self.body(x)

    def trace(self, x: Tensor) -> tuple[Tensor, Trace]:
        """Logits and the named maps of one forward pass: `stem`, `fusion2/deep`, `fusion2/shallow`,
        `fusion2/joined` (what the next blocks read), a tap's own name, `logits`. The maps are part of the graph."""
        trace: Trace = {}
        self.draw_column()
        logits = self.body(x, trace)
        if "logits" not in trace:  # whole nets joined: the last join gives them
            logits = note(trace, "logits", logits)
        return logits, trace

    def draw_column(self) -> None:
        """In training, whether the next mini-batch keeps one column alone, and which."""
        if not (self.training and self.design.global_drop_path):
            return
        for module in self.modules():
            if isinstance(module, Join):
                module.only = None
        whether, which = torch.rand(2).tolist()
        if whether < self.design.global_drop_path:
            self.body.keep_column(int(which * self.body.columns()))

    def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
        """The parameters by place, from stem to classifier: `stem`, `fusion1/deep`, ..., `block1`, ..., `head`;
        joins with weights of their own stand under `fusion1/join`."""
        groups: defaultdict[str, list[nn.Parameter]] = defaultdict(list)
        waiting: list[nn.Parameter] = []
        for name, module in self.body.named_children():
            match module:
                case Fused():
                    for lane, branch in module.branches.items():
                        groups[f"{name}/{lane}"] += branch.parameters()
                    groups[f"{name}/join"] += module.join.parameters()
                case MergeAndRun():
                    for step in module.steps:
                        assert isinstance(step, Step)
                        for own, part in (*step.blocks.items(), *step.lines.items()):
                            groups[f"{step.name}/{own}"] += part.parameters()
                case Named():
                    groups[module.name] += waiting
                    waiting = []
                case _ if name in ("stem", "logits"):
                    groups["head" if name == "logits" else name] += module.parameters()
                case _:
                    waiting += module.parameters()
        groups["rest"] += waiting
        return {name: parameters for name, parameters in groups.items() if parameters}


class Chain(nn.Module):
    """Modules one after another. With a trace it notes the outputs that have a name of their own."""

    def __init__(self, name: str, children: OrderedDict[str, nn.Module]):
        super().__init__()
        self.name = name
        for child, module in children.items():
            self.add_module(child, module)

    def columns(self) -> int:
        """How many columns global drop-path chooses from: as many as the widest of its fusions has."""
        return max((module.columns() for module in self.children() if isinstance(module, Chain | Fused)), default=1)

    def keep_column(self, column: int) -> None:
        """Let every fusion keep this one alone."""
        for module in self.children():
            if isinstance(module, Chain | Fused):
                module.keep_column(column)

    def forward(self, x: Tensor, trace: Trace | None = None) -> Tensor:
        for child, module in self.named_children():
            if isinstance(module, Chain | Fused | MergeAndRun):
                x = module(x, trace)
            else:
                x = module(x)
                if isinstance(module, Named):
                    x = note(trace, module.name, x)
                elif child in ("stem", "logits"):
                    x = note(trace, f"{self.name}/{child}" if self.name else child, x)
        return x


class Fused(nn.Module):
    """x -> ReLU(join_k(branch_k(x))), or the join alone."""

    def __init__(self, name: str, branches: OrderedDict[str, nn.Module], join: Join, relu: bool):
        super().__init__()
        self.name = name
        self.branches = nn.ModuleDict(branches)
        self.join = join
        self.relu = nn.ReLU() if relu else nn.Identity()

    def columns(self) -> int:
        """Those of its branches together; in a fractal net one for every depth."""
        return sum(branch.columns() for branch in self._chains())

    def keep_column(self, column: int) -> None:
        """Keep the branch of this column alone, and in it the column; a fusion of fewer columns begins anew."""
        column %= self.columns()
        for k, branch in enumerate(self._chains()):
            if column < branch.columns():
                self.join.only = k
                branch.keep_column(column)
                return
            column -= branch.columns()

    def _chains(self) -> list[Chain]:
        return [branch for branch in self.branches.values() if isinstance(branch, Chain)]

    def forward(self, x: Tensor, trace: Trace | None = None) -> Tensor:
        maps = [note(trace, f"{self.name}/{lane}", branch(x, trace)) for lane, branch in self.branches.items()]
        return note(trace, f"{self.name}/joined", self.relu(self.join(x, *maps)))


class Step(nn.Module):
    """Streams x_k -> ReLU(block_k(x_k) + mean_j line_j(x_j)); `merges` adds all blocks and the mean into one map."""

    def __init__(
        self, name: str, blocks: OrderedDict[str, nn.Module], lines: list[nn.Module], merges: bool, relu: bool
    ):
        super().__init__()
        self.name, self.merges = name, merges
        self.blocks = nn.ModuleDict(blocks)
        self.lines = nn.ModuleDict({f"line{k}": line for k, line in enumerate(lines, start=1)})
        self.relus = nn.ModuleList(nn.ReLU() if relu else nn.Identity() for _ in range(1 if merges else len(blocks)))

    def forward(self, streams: list[Tensor], trace: Trace | None = None) -> list[Tensor]:
        maps = [
            note(trace, f"{self.name}/{own}", block(x, trace))
            for (own, block), x in zip(self.blocks.items(), streams, strict=True)
        ]
        mean = self.mean(*streams)
        if self.merges:
            return [self.relus[0](added(maps) + mean)]
        return [
            note(trace, f"{self.name}/stream{k}", relu(own + mean))
            for k, (relu, own) in enumerate(zip(self.relus, maps, strict=True), start=1)
        ]

    def mean(self, *streams: Tensor) -> Tensor:
        """What all streams bring to each of them."""
        return added([line(x) for line, x in zip(self.lines.values(), streams, strict=True)]) / len(streams)


class MergeAndRun(nn.Module):
    """Streams that begin as one map, run through the steps and end as one map (arXiv 1611.07718)."""

    def __init__(self, name: str, streams: int, steps: list[Step]):
        super().__init__()
        self.name, self.streams = name, streams
        self.steps = nn.ModuleList(steps)
        self.end = nn.Identity()

    def forward(self, x: Tensor, trace: Trace | None = None) -> Tensor:
        streams = [x] * self.streams
        for step in self.steps:
            streams = step(streams, trace)
        return note(trace, f"{self.name}/joined", self.end(torch.cat(streams, 1) if len(streams) > 1 else streams[0]))


class Named(nn.Identity):
    """A tap: the map as it is, under a name."""

    def __init__(self, name: str):
        super().__init__()
        self.name = name


class FixedView(nn.Module):
    """A 3x3 binomial blur of every channel, or what it takes away."""

    kernel: Tensor

    def __init__(self, channels: int, edges: bool):
        super().__init__()
        row = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("kernel", torch.outer(row, row).expand(channels, 1, 3, 3).clone(), persistent=False)
        self.edges = edges

    def forward(self, x: Tensor) -> Tensor:
        blurred = nn.functional.conv2d(x, self.kernel.to(x.dtype), padding=1, groups=x.shape[1])
        return x - blurred if self.edges else blurred


def build(design: Design, seed: int = 0) -> FusedNet:
    """The torch module of a design with fresh weights; the same seed gives the same bits on one machine."""
    with torch.random.fork_rng(devices=[]):  # modules draw weights of their own when made; nobody should notice
        net = FusedNet(design)
    initialise(net, seed=seed)
    return net


def note(trace: Trace | None, name: str, x: Tensor) -> Tensor:
    """Put a map into the trace under its name. The alias gives every name a place of its own in the graph, also
    where an identity block hands on the very tensor that it was given."""
    if trace is None:
        return x
    trace[name] = x.view_as(x)
    return trace[name]


def _series(series: Series, name: str, design: Design, known: dict[str, Layer], tail: bool) -> Chain:
    """`tail`: whether this is the end of a branch whose ReLU stands after the join."""
    last = max((i for i, node in enumerate(series.nodes) if has_layers(node)), default=-1)
    children: OrderedDict[str, nn.Module] = OrderedDict()
    for index, (own, node) in enumerate(named_children(series, name)):
        key = own.rpartition("/")[2]
        if isinstance(node, Tap):  # a tap may be called as people like, also like an attribute of a module
            key = f"tap-{key}"
        children[key] = _module(node, own, design, known, tail and index == last)
    return Chain(name, children)


def _module(node: Node, name: str, design: Design, known: dict[str, Layer], tail: bool) -> nn.Module:
    match node:
        case Conv():
            return _conv(node, known[name], design.norm, relu=not (tail or node.projection))
        case Pool():
            kind = nn.AvgPool2d if node.mode == "average" else nn.MaxPool2d
            odd = node.kernel % 2 == 1
            return kind(node.kernel, node.stride, padding=node.kernel // 2 if odd else 0, ceil_mode=not odd)
        case View():
            channels = known[name].before.channels
            return nn.Identity() if node.view == "full" else FixedView(channels, node.view == "edges")
        case Tap():
            return Named(name)
        case Head():
            linear = nn.Linear(known[name].before.channels, design.classes)
            steps = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
            drop = {"dropout": nn.Dropout(node.dropout)} if node.dropout else {}
            return nn.Sequential(OrderedDict(steps | drop | {"linear": linear}))
        case Series():
            return _series(node, name, design, known, tail)
        case Fusion():
            after = node.relu == "after"
            branches: OrderedDict[str, nn.Module] = OrderedDict()
            for own, branch in named_branches(node, name):
                branches[own.rpartition("/")[2]] = _series(branch, own, design, known, tail=after)
            layer = known[f"{name}/joined"]
            maps = layer.after.height > 0
            return Fused(name, branches, make_join(node, layer), relu=after and maps and not tail)
        case MergeRun():
            steps = []
            for number, (step, blocks) in enumerate(named_steps(node, name), start=1):
                parts: OrderedDict[str, nn.Module] = OrderedDict()
                for own, block in blocks:
                    parts[own.rpartition("/")[2]] = _series(block, own, design, known, tail=True)
                projected = [known.get(f"{step}/line{k}") for k in range(1, len(blocks) + 1)]
                lines = [_line(layer, design) if layer else nn.Identity() for layer in projected]
                ends = number == len(node.steps)
                steps.append(Step(step, parts, lines, ends and node.end == "merge", relu=not (ends and tail)))
            return MergeAndRun(name, len(node.steps[0]), steps)
        case _:
            assert_never(node)


def _line(layer: Layer, design: Design) -> nn.Module:
    assert isinstance(layer.node, Conv)
    return _conv(layer.node, layer, design.norm, relu=False)


class PointConv(nn.Conv2d):
    """A 1x1 conv with a stride: every so many pixels, then the conv.

    torch's own way through oneDNN writes past its buffers where such a conv reads 2 to 7 channels in channels_last
    (torch 2.13.0, CPUs with AVX2 and no AVX-512), which ends the process sooner or later.
    """

    def forward(self, input: Tensor) -> Tensor:
        down, right = self.stride
        return nn.functional.conv2d(input[:, :, ::down, ::right], self.weight, self.bias)


def _conv(node: Conv, layer: Layer, norm: Norm, relu: bool) -> nn.Sequential:
    kind = PointConv if node.kernel == 1 and node.stride > 1 else nn.Conv2d
    conv = kind(
        layer.before.channels, node.channels, node.kernel, node.stride, padding=node.kernel // 2, bias=norm == "none"
    )
    steps: OrderedDict[str, nn.Module] = OrderedDict(conv=conv)
    match norm:
        case "batch":
            steps["norm"] = nn.BatchNorm2d(node.channels, eps=BN_EPS, momentum=BN_MOMENTUM)
        case "group":
            steps["norm"] = nn.GroupNorm(norm_groups(node.channels), node.channels)
        case "none":
            pass
        case _:
            assert_never(norm)
    if relu:
        steps["relu"] = nn.ReLU()
    if node.dropout:
        steps["dropout"] = nn.Dropout(node.dropout)
    return nn.Sequential(steps)
