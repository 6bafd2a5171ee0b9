"""How everything here is measured: side by side, in interleaved rounds, in CPU time of this process.

Both sides do the same work in every round, in turns, so that what else the machine does meets both. The ratio is the
median over the rounds; beside it stands the ratio of one side to itself (A/A), which says how much to believe.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from statistics import median
from time import process_time

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dfn.data import Dataset
from dfn.data.records import Split
from dfn.design.catalogue import fused
from dfn.design.spec import Design
from dfn.models.build import build
from dfn.training.fit import Training
from dfn.training.records import Step

ROUNDS = 7
Work = Callable[[], object]


@dataclass(frozen=True)
class Row:
    """One measured figure, what is aimed at, and the ratio of one side to itself where there is one."""

    figure: str
    value: float
    unit: str
    target: str
    reached: bool
    same: float | None = None


def at_least(figure: str, target: float, ours: Work, other: Work) -> Row:
    """How many times as fast as `other` `ours` is."""
    value, same = _compare(other, ours)
    return Row(figure, value, "x", f">= {target}", value >= target, same)


def at_most(figure: str, target: float, ours: Work, other: Work) -> Row:
    """How many times the time of `other` `ours` takes."""
    value, same = _compare(ours, other)
    return Row(figure, value, "x", f"<= {target}", value <= target, same)


def milliseconds(figure: str, target: float, work: Work) -> Row:
    """What one call takes."""
    value = median(1000 * _seconds(work) for _ in range(ROUNDS))
    return Row(figure, value, " ms", f"<= {target:g} ms", value <= target)


def _compare(above: Work, below: Work) -> tuple[float, float]:
    """Median over the rounds of (time of `above` / time of `below`, time of `below` / time of `below`)."""
    works = [above, below, below]
    for work in works:
        work()
    ratios, same = [], []
    for number in range(ROUNDS):
        seconds = [0.0, 0.0, 0.0]
        for place in range(3):
            turn = (place + number) % 3
            seconds[turn] = _seconds(works[turn])
        ratios.append(2 * seconds[0] / (seconds[1] + seconds[2]))
        same.append(seconds[1] / seconds[2])
    return median(ratios), median(same)


def _seconds(work: Work) -> float:
    start = process_time()
    work()
    return process_time() - start


def noise(side: int, channels: int, train: int, test: int = 64) -> Dataset:
    """Random images of ten classes: speed does not depend on what they show."""
    generator = torch.Generator().manual_seed(0)

    def split(count: int) -> Split:
        images = torch.randint(256, (count, channels, side, side), generator=generator, dtype=torch.uint8)
        return Split(images, torch.randint(10, (count,), generator=generator))

    classes = tuple("0123456789")
    half = (0.5,) * channels
    return Dataset("noise", "Noise", classes, split(train), split(test), half, half, True, max(1, side // 8), "", "")


def lesson_net(channels: int) -> Design:
    """The net of the first lessons in the size that they use: base networks of 34 and 14 layers, 6 fusions."""
    return fused(34, 14, 6, in_channels=channels)


def steps_of(training: Training, count: int) -> Work:
    """`count` steps of our loop at every call; what comes before the first step is left out."""
    steps = (record for record in training.records() if isinstance(record, Step))
    next(steps)
    return lambda: list(islice(steps, count))


class Bare:
    """The loop that anyone would write by hand: a net, batches, SGD, loss and accuracy of every step."""

    def __init__(
        self, design: Design, batches: Iterator[tuple[Tensor, Tensor]], layout: torch.memory_format, fused: bool = True
    ):
        self.net: nn.Module = build(design).train().to(memory_format=layout)  # pyright: ignore[reportCallIssue]
        self.batches = batches
        self.optimizer = torch.optim.SGD(
            self.net.parameters(), lr=0.02, momentum=0.9, nesterov=True, weight_decay=1e-4, fused=fused
        )

    def steps(self, count: int) -> Work:
        return lambda: [self.step(x, y) for x, y in islice(self.batches, count)]

    def step(self, x: Tensor, y: Tensor) -> tuple[float, int]:
        logits = self.forward(x)
        loss = cross_entropy(logits, y)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return loss.item(), int((logits.argmax(1) == y).sum())

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


def shuffled(data: Dataset, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Normalised channels_last batches for ever, by index from tensors in memory."""
    images, labels = data.normalise(data.train.images), data.train.labels
    while True:
        for index in torch.randperm(len(labels)).split(batch_size)[: len(labels) // batch_size]:
            yield images[index].contiguous(memory_format=torch.channels_last), labels[index]
