"""A step in bf16 against one in fp32, and what the probe chooses. Aim: at least 1.4 times as fast on a processor with
bf16 instructions (elsewhere the probe must choose fp32), and the probe takes no slower one.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.measure import Bare, Row, Work, at_least, lesson_net, noise, shuffled
from dfn.training.precision import autocast, choose_precision
from dfn.training.recipe import Recipe

CPU = torch.device("cpu")


def rows() -> Iterator[Row]:
    for side, channels in ((28, 1), (32, 3)):
        data, design = noise(side, channels, 128), lesson_net(channels)
        sides = {name: InPrecision(name, design, shuffled(data, 32), torch.channels_last) for name in ("fp32", "bf16")}
        x, y = next(sides["fp32"].batches)
        chosen, _ = choose_precision(sides["fp32"].net, Recipe(design=design), x, y)  # pyright: ignore[reportArgumentType]
        works: dict[str, Work] = {name: bare.steps(3) for name, bare in sides.items()}
        yield at_least(f"bf16 / fp32, {side}x{side}, batch 32 (chosen: {chosen})", 1.4, works["bf16"], works["fp32"])


class InPrecision(Bare):
    def __init__(self, precision: str, *settings):
        super().__init__(*settings)
        self.precision = precision

    def forward(self, x: Tensor) -> Tensor:
        with autocast(self.precision, CPU):
            return self.net(x)
