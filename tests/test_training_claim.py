"""The claim of the first lesson: a fused net trains where its deep base network alone does not, in seconds.

Seeds that nobody tuned, the recipe that a learner meets first, one thread of one core.
"""

from time import process_time

import pytest
import torch

from dfn.data import load_data
from dfn.design.catalogue import fused, plain
from dfn.training.fit import Training
from dfn.training.recipe import PRESETS, Recipe
from dfn.training.records import Done

DEEP, SHALLOW, FUSIONS = 52, 14, 6


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_fusion_makes_a_deep_net_trainable(seed: int):
    torch.set_num_threads(1)
    data = load_data("digits")
    nets = {
        "fused": fused(DEEP, SHALLOW, FUSIONS, in_channels=1),
        "deep": plain(DEEP, FUSIONS, in_channels=1),
        "shallow": plain(SHALLOW, FUSIONS, in_channels=1),
    }
    accuracy = {}
    start = process_time()
    for name, design in nets.items():
        recipe = Recipe(design=design, seed=seed, **PRESETS["classroom"].settings)
        *_, done = Training(recipe, data=data).records()
        assert isinstance(done, Done)
        accuracy[name] = done.test_accuracy
    assert accuracy["fused"] - accuracy["deep"] >= 0.4, accuracy
    assert accuracy["shallow"] > accuracy["deep"], accuracy
    assert process_time() - start < 30
