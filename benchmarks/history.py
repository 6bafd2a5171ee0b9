"""Ten thousand runs: listed from the index, filtered and sorted, as `dfn runs` and the Runs page do it at every look.
Aim: under a second of CPU time. The first list of all, which opens every folder, is made before and not measured.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, milliseconds
from dfn.design.catalogue import fused
from dfn.runs.index import choose
from dfn.runs.run import Run, Status
from dfn.runs.store import Store
from dfn.training.recipe import Recipe

RUNS = 10_000
LONG_AGO = (1_000_000_000, 1_000_000_000)


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fill(root, RUNS)
        Store(root).entries()
        yield milliseconds(
            f"{RUNS:,} runs listed, filtered and sorted", 1000, lambda: choose(Store(root).entries(), sort="accuracy")
        )


def fill(root: Path, count: int) -> None:
    """Finished runs of many seeds, as if trained long ago."""
    designs = [fused(deep, 5, 3, 4, in_channels=1) for deep in range(8, 28)]
    for seed in range(count):
        recipe = Recipe(design=designs[seed % len(designs)], seed=seed)
        run = Run(root / recipe.id)
        run.folder.mkdir()
        run.write_recipe(recipe)
        run.write_status(Status("done", epoch=5, epochs=5, test_accuracy=seed / count, train_loss=0.1, seconds=3.0))
        for path in (run.recipe_file, run.folder):
            os.utime(path, LONG_AGO)
