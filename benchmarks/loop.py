"""Our training loop against a bare one written by hand: same net, layout and batch size. Aim: at least 0.95 of its
speed. Both read loss and accuracy at every step; telemetry has a benchmark of its own.
"""

from collections.abc import Iterator

import torch

from benchmarks.measure import ROUNDS, Bare, Row, at_least, lesson_net, noise, shuffled, steps_of
from dfn.training.fit import Training
from dfn.training.recipe import Recipe


def rows() -> Iterator[Row]:
    for side, channels, batch, steps in ((8, 1, 64, 16), (32, 3, 32, 3)):
        data = noise(side, channels, batch * (steps * (2 * ROUNDS + 3) + 2))
        recipe = Recipe(design=lesson_net(channels), batch_size=batch, epochs=1, precision="fp32")
        ours = Training(recipe, data=data, device="cpu", telemetry=False)
        bare = Bare(recipe.design, shuffled(data, batch), torch.channels_last)
        yield at_least(
            f"our loop / bare loop, {side}x{side}, batch {batch}", 0.95, steps_of(ours, steps), bare.steps(steps)
        )
