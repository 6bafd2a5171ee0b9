"""Our loop with telemetry against the same loop without. Aim: at most 5 % more time.

Whole epochs of the size of `digits` (norms every 10 steps, maps of the probe images every epoch), and steps at 32x32
with a small batch, where the norms weigh most.
"""

from collections.abc import Iterator

from benchmarks.measure import ROUNDS, Row, Work, at_most, lesson_net, noise, steps_of
from dfn.training.fit import Training
from dfn.training.recipe import Recipe
from dfn.training.records import Epoch


def rows() -> Iterator[Row]:
    digits = noise(8, 1, 1437, 360)
    recipe = Recipe(design=lesson_net(1), batch_size=64, epochs=2 * ROUNDS + 3, precision="fp32")
    on, off = (Training(recipe, data=digits, device="cpu", telemetry=t) for t in (True, False))
    yield at_most("telemetry on / off, epochs at 8x8, batch 64", 1.05, epoch_of(on), epoch_of(off))
    data = noise(32, 3, 16 * (10 * (2 * ROUNDS + 3) + 2))
    recipe = Recipe(design=lesson_net(3), batch_size=16, epochs=1, precision="fp32")
    on, off = (Training(recipe, data=data, device="cpu", telemetry=t) for t in (True, False))
    yield at_most("telemetry on / off, steps at 32x32, batch 16", 1.05, steps_of(on, 10), steps_of(off, 10))


def epoch_of(training: Training) -> Work:
    """One epoch at every call, its evaluation included."""
    epochs = (record for record in training.records() if isinstance(record, Epoch))
    next(epochs)
    return lambda: next(epochs)
