"""Eight seeds trained together against the same eight one after another, an epoch of each with its report. Aim on a
GPU: at most twice the time of one seed, a quarter of eight; on a CPU, where nothing waits for a launch, no more than
one after another.
"""

from collections.abc import Iterator

from benchmarks.measure import Row, at_most, noise
from dfn.design.catalogue import fused
from dfn.training.fit import Training
from dfn.training.recipe import Recipe
from dfn.training.seeds import fit_seeds

SEEDS = range(8)


def rows() -> Iterator[Row]:
    data = noise(8, 1, 256)
    recipe = Recipe(design=fused(14, 8, 6, 8, in_channels=1), batch_size=64, epochs=1, precision="fp32")

    def alone() -> None:
        for seed in SEEDS:
            one = recipe.model_copy(update={"seed": seed})
            list(Training(one, data=data, device="cpu", telemetry=False).records())

    yield at_most(
        "8 seeds together / one after another, 8x8", 1.0, lambda: list(fit_seeds(recipe, SEEDS, data=data)), alone
    )
