"""One forward pass as a list of steps, swept backwards with more than one gradient at a time.

Plain backpropagation carries one gradient per map. Here every map carries a gradient for each *kind* of path that
leads from it to the logits: by length, or by the block that a path takes at one fusion. A sweep hands every gradient
through every step and adds up what meets under the same kind, so 2^F paths cost about F^2 backward steps. Every step
is taken as linear where the image left it (ReLU and max as selections, batch norm with its running statistics), so
that the kinds add up to autograd's gradient.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from dfn.design.cost import layers
from dfn.design.nodes import Conv, Head, Node
from dfn.insight.cuts import OneWay
from dfn.insight.subject import gradients_allowed
from dfn.models.build import Chain, Fused, FusedNet, MergeAndRun, Named
from dfn.models.build import Step as StreamStep
from dfn.models.joins import added

Kind = TypeVar("Kind")
Back = Callable[[Tensor], tuple[Tensor | None, ...]]


@dataclass(frozen=True)
class Step:
    """From the maps at `inputs` to the map at `output`, through `layers` counted layers. `block` names the branch
    whose beginning this step is, such as `fusion2/deep`."""

    inputs: tuple[int, ...]
    output: int
    layers: int
    block: str
    back: Back


class Tape:
    """The steps of `net(x)`, for a net in eval mode: `values` are the maps, the image first; `sources` where
    the input of each fusion is, `entries` where each block begins to read, `places` where the named maps are."""

    def __init__(self, net: FusedNet, x: Tensor):
        self.values = [x]
        self.steps: list[Step] = []
        self.sources: dict[str, int] = {}
        self.entries: dict[str, int] = {}
        self.places: dict[str, int] = {}
        self._counts = {layer.name: _counts(layer.node) for layer in layers(net.design)}
        with gradients_allowed():
            self.logits = self._chain(net.body, 0)

    def sweep(self, cotangent: Tensor, start: Kind, pass_on: Callable[[Kind, Step], Kind]) -> list[dict[Kind, Tensor]]:
        """For every map the gradient of `(logits * cotangent).sum()` by kind of path; a path is of kind `start` at
        the logits, and a step behind which it is of kind k makes it `pass_on(k, step)`."""
        found: list[dict[Kind, Tensor]] = [{} for _ in self.values]
        found[self.logits] = {start: cotangent}
        for step in reversed(self.steps):
            for kind, gradient in found[step.output].items():
                now = pass_on(kind, step)
                for place, part in zip(step.inputs, step.back(gradient), strict=True):
                    if part is not None:
                        before = found[place].get(now)
                        found[place][now] = part if before is None else before + part
        return found

    def _chain(self, chain: Chain, x: int) -> int:
        others: Mapping[str, int] = {}  # the maps of lanes that go on without the joined one
        waiting = nn.Sequential()
        count = 0

        def flush() -> None:
            nonlocal x, others, waiting, count
            if len(waiting):
                x = self._step(waiting, x, layers=count)
                others = {lane: self._step(waiting, other, layers=count) for lane, other in others.items()}
                waiting, count = nn.Sequential(), 0

        for child, module in chain.named_children():
            name = f"{chain.name}/{child}" if chain.name else child
            match module:
                case Fused():
                    flush()
                    x, others = self._fused(module, x, others)
                case MergeAndRun():
                    flush()
                    x = self._streams(module, x)
                case Chain():
                    flush()
                    x = self._chain(module, x)
                case _:
                    waiting.append(module)
                    count += self._counts.get(name, 0)
                    if isinstance(module, Named) or child == "stem":
                        flush()
                        self.places[module.name if isinstance(module, Named) else name] = x
        flush()
        return x

    def _fused(self, fused: Fused, x: int, others: Mapping[str, int]) -> tuple[int, dict[str, int]]:
        self.sources[fused.name] = x
        maps: dict[str, int] = {}
        for lane, branch in fused.branches.items():
            assert isinstance(branch, Chain)
            name = f"{fused.name}/{lane}"
            self.entries[name] = self._alias(others.get(lane, x), name)
            maps[lane] = self.places[name] = self._chain(branch, self.entries[name])
        joined = self._step(lambda *inputs: fused.relu(fused.join(*inputs)), x, *maps.values())
        self.places[f"{fused.name}/joined"] = joined
        unfed = fused.own_relu.items() if isinstance(fused, OneWay) else ()
        return joined, {lane: self._step(relu, maps[lane]) for lane, relu in unfed}

    def _streams(self, merge: MergeAndRun, x: int) -> int:
        streams = [x] * merge.streams
        for step in merge.steps:
            assert isinstance(step, StreamStep)
            maps = []
            for (own, block), stream in zip(step.blocks.items(), streams, strict=True):
                assert isinstance(block, Chain)
                name = f"{step.name}/{own}"
                self.entries[name] = self._alias(stream, name)
                maps.append(self._chain(block, self.entries[name]))
                self.places[name] = maps[-1]
            mean = self._step(step.mean, *streams)
            if step.merges:
                return self._noted(f"{merge.name}/joined", _sum_then(step.relus[0]), *maps, mean)
            streams = [
                self._noted(f"{step.name}/stream{k}", _sum_then(relu), own, mean)
                for k, (relu, own) in enumerate(zip(step.relus, maps, strict=True), start=1)
            ]
        return self._noted(f"{merge.name}/joined", lambda *maps: torch.cat(maps, 1), *streams)

    def _noted(self, name: str, function: Callable[..., Tensor], *inputs: int) -> int:
        self.places[name] = self._step(function, *inputs)
        return self.places[name]

    def _step(self, function: Callable[..., Tensor], *inputs: int, layers: int = 0) -> int:
        leaves = tuple(self.values[place].detach().requires_grad_() for place in inputs)
        output = function(*leaves)

        def back(gradient: Tensor) -> tuple[Tensor | None, ...]:
            if not output.requires_grad:
                return (None,) * len(leaves)
            return torch.autograd.grad(output, leaves, gradient, retain_graph=True, allow_unused=True)

        return self._note(inputs, output.detach(), layers, "", back)

    def _alias(self, x: int, block: str) -> int:
        return self._note((x,), self.values[x], 0, block, lambda gradient: (gradient,))

    def _note(self, inputs: tuple[int, ...], value: Tensor, layers: int, block: str, back: Back) -> int:
        self.values.append(value)
        self.steps.append(Step(inputs, len(self.values) - 1, layers, block, back))
        return len(self.values) - 1


def _sum_then(relu: nn.Module) -> Callable[..., Tensor]:
    return lambda *maps: relu(added(maps))


def _counts(node: Node) -> int:
    """1 for a node that is a layer of its own on a path, 0 for all others."""
    return int(isinstance(node, Head) or (isinstance(node, Conv) and not node.projection))
