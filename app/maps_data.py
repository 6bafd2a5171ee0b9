"""What the Maps page shows: which runs can be looked at, their test images, and their maps. No drawing and no cache.

Torch is loaded by the functions that need it, so that the page stands before it is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from picked import Picked
from race import Runner, line_up

from dfn.design.nodes import Conv, Fusion
from dfn.design.paths import path_spectrum
from dfn.insight.maps import Stack, map_stacks, places, predictions
from dfn.runs.store import Run, RunError, Store
from dfn.training.recipe import OWN_TO_A_METHOD, Recipe

if TYPE_CHECKING:
    from dfn.data import Dataset

MOST_LISTED = 100
IMAGES_AT_ONCE = 250


@dataclass(frozen=True)
class Shown:
    """A run whose maps can be looked at, and whether it is the recorded example of the lab."""

    run: Run
    recorded: bool


def runs_with_maps(recorded: Path) -> dict[str, Shown]:
    """By id, runs that kept weights: people's own, newest first and no more than can be listed, then the recorded."""
    found: dict[str, Shown] = {}
    for store, is_recorded in ((Store(), False), (Store(recorded), True)):
        for run in store.runs():
            if len(found) >= MOST_LISTED and not is_recorded:
                break
            if run.snapshots():
                found.setdefault(run.id, Shown(run, is_recorded))
    return found


def run_with_maps(id: str, recorded: Path) -> Shown | None:
    """The run with this id or its beginning, people's own before the recorded, if it kept weights."""
    for store, is_recorded in ((Store(), False), (Store(recorded), True)):
        try:
            run = store.get(id)
        except RunError:
            continue
        if run.snapshots():
            return Shown(run, is_recorded)
    return None


def trained_apart(recipe: Recipe) -> list[Runner]:
    """The deep and the shallow base network of a fused net as plain nets, with the same data, recipe and seed, each
    as the Train page would enter it; empty where the net is not one of two bases fused block by block."""
    design = recipe.design
    stem, fusions = design.body.nodes[0], sum(isinstance(node, Fusion) for node in design.body.nodes)
    if recipe.net not in ("fused", "late") or not isinstance(stem, Conv) or not fusions:
        return []
    depths = path_spectrum(design)  # exchanged blocks change the bases, but not the deepest and the shallowest path
    settings = {name: getattr(recipe, name) for name in Recipe.model_fields if name not in OWN_TO_A_METHOD}
    bases = (max(depths), min(depths))
    return line_up(design, bases, fusions, stem.channels, ("plain deep", "plain shallow"), settings)[1:]


def load_test_images(data: str, size: int | None, train_limit: int | None, test_limit: int | None) -> "Dataset":
    """The data set of a recipe with its test split alone: mean and std stay those of the train split."""
    import torch

    from dfn.data import load_data

    whole = load_data(data, size=size, train_limit=train_limit, test_limit=test_limit)
    return replace(whole, train=whole.train.take(torch.arange(0)))


def trace_image(run: Run, epochs: Sequence[int], images: "Dataset", picked: Picked) -> tuple[dict[str, Stack], Stack]:
    """All maps of one image at these epochs, and the class probabilities (see `map_stacks`)."""
    names = [name for place in places(run.recipe.design) for name in place.names]
    files = {epoch: run.snapshot_file(epoch) for epoch in epochs}
    stacks, probabilities = map_stacks(run.recipe.design, files, picked.seen(images)[0], names)
    for array in (*stacks.values(), probabilities):
        array.flags.writeable = False  # everybody who looks at this image shares them
    return stacks, probabilities


def call_images(run: Run, epoch: int, images: "Dataset", part: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The classes that the net called after this epoch and how sure it was, for one part of the test images."""
    some = images.test.images[part * IMAGES_AT_ONCE : (part + 1) * IMAGES_AT_ONCE]
    return predictions(run.recipe.design, run.snapshot_file(epoch), images.normalise(some))
