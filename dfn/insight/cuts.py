"""Modules that stand in a lesioned net where something was cut, turned down or replaced."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dfn.models.build import Chain, Fused, Trace, note
from dfn.models.joins import Join


class Dial(nn.Module):
    """gain * x, and exactly nothing at gain 0."""

    gain: Tensor

    def __init__(self, gain: float):
        super().__init__()
        self.register_buffer("gain", torch.tensor(gain))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gain if self.gain else torch.zeros_like(x)


class Mean(nn.Module):
    """Every channel at its mean over the reference (channels,), or over the images and positions that come."""

    mean: Tensor | None

    def __init__(self, mean: Tensor | None):
        super().__init__()
        self.register_buffer("mean", mean)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.detach().transpose(0, 1).flatten(1).mean(1) if self.mean is None else self.mean
        return mean.view(1, -1, *[1] * (x.dim() - 2)).expand_as(x)


class Resample(nn.Module):
    """The map of another image: drawn from the reference with the seed, the same draw in every pass, or that of the
    next image of the batch. Raises ValueError for a single image without a reference."""

    bank: Tensor | None

    def __init__(self, bank: Tensor | None, seed: int):
        super().__init__()
        self.register_buffer("bank", bank)
        self.seed = seed

    def extra_repr(self) -> str:
        return f"seed={self.seed}"

    def forward(self, x: Tensor) -> Tensor:
        if self.bank is None:
            if len(x) < 2:
                raise ValueError("resample: 1 image is not accepted; accepted: 2 or more, or a lesion with a reference")
            return x.detach().roll(1, 0)
        generator = torch.Generator().manual_seed(self.seed)
        return self.bank[torch.randint(len(self.bank), (len(x),), generator=generator).to(x.device)]


class Bypass(nn.Module):
    """A shortcut without weights: every `stride`-th row and column, and zeros for the channels that are new (option A
    of arXiv 1512.03385)."""

    def __init__(self, channels: int, stride: int):
        super().__init__()
        self.channels, self.stride = channels, stride

    def extra_repr(self) -> str:
        return f"channels={self.channels}, stride={self.stride}"

    def forward(self, x: Tensor) -> Tensor:
        x = x[:, : self.channels, :: self.stride, :: self.stride]
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.channels - x.shape[1]))


class Only(Join):
    """The map of one branch, whatever the others bring."""

    def __init__(self, index: int):
        super().__init__()
        self.index = index

    def extra_repr(self) -> str:
        return f"index={self.index}"

    def forward(self, source: Tensor, *branches: Tensor) -> Tensor:
        return branches[self.index]


class OneWay(Fused):
    """A fusion whose joined map does not go back to the `unfed` lanes: these go on with their own maps."""

    def __init__(self, fused: Fused, unfed: tuple[str, ...]):
        super().__init__(fused.name, {}, fused.join, relu=False)  # pyright: ignore[reportArgumentType]
        self.branches = fused.branches
        self.relu = fused.relu
        self.own_relu = nn.ModuleDict({lane: type(fused.relu)() for lane in unfed})


class Streams(Chain):
    """A chain in which every base network may go on with a map of its own behind a `OneWay` fusion."""

    def forward(self, x: Tensor, trace: Trace | None = None) -> Tensor:
        others: Mapping[str, Tensor] = {}
        for child, module in self.named_children():
            if isinstance(module, Fused):
                maps = {
                    lane: note(trace, f"{module.name}/{lane}", branch(others.get(lane, x), trace))
                    for lane, branch in module.branches.items()
                }
                x = note(trace, f"{module.name}/joined", module.relu(module.join(x, *maps.values())))
                unfed = module.own_relu.items() if isinstance(module, OneWay) else ()
                others = {lane: relu(maps[lane]) for lane, relu in unfed}
            else:
                others = {lane: module(other) for lane, other in others.items()}
                x = Chain(self.name, {child: module})(x, trace)  # pyright: ignore[reportArgumentType]
        return x
