"""One image with all its named maps against the plain forward pass, in eval mode. Aim: at most 1.25 of its time."""

from collections.abc import Iterator

import torch

from benchmarks.measure import Row, Work, at_most, lesson_net
from dfn.models.build import FusedNet, build

IMAGES = 40


def rows() -> Iterator[Row]:
    for side, channels in ((8, 1), (32, 3)):
        net = build(lesson_net(channels)).eval()
        net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        x = torch.randn(1, channels, side, side).contiguous(memory_format=torch.channels_last)
        yield at_most(f"one image with all maps / without, {side}x{side}", 1.25, traced(net, x), plain(net, x))


def traced(net: FusedNet, x: torch.Tensor) -> Work:
    def work() -> None:
        with torch.no_grad():
            for _ in range(IMAGES):
                net.trace(x)

    return work


def plain(net: FusedNet, x: torch.Tensor) -> Work:
    def work() -> None:
        with torch.no_grad():
            for _ in range(IMAGES):
                net(x)

    return work
