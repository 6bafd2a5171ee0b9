"""The claim of the first lesson: a fused net trains where its deep base network alone does not, in seconds.

Seeds that nobody tuned, the recipe that a learner meets first, one thread of one core. How many seconds that is, the
machine and its other work decide (`make bench ARGS=claim` prints them); that the loop spends them on the nets is
checked against bare steps of the same nets, taken in between.
"""

from time import process_time

import pytest
import torch
from torch.nn.functional import cross_entropy

from dfn.data import Dataset, load_data
from dfn.design.catalogue import fused, plain
from dfn.design.spec import Design
from dfn.models.build import build
from dfn.training.fit import Training
from dfn.training.recipe import PRESETS, Recipe
from dfn.training.records import Done, Step

DEEP, SHALLOW, FUSIONS = 52, 14, 6
BARE_STEPS = 6


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
    seconds = bare_seconds = 0.0
    for name, design in nets.items():
        recipe = Recipe(design=design, seed=seed, **PRESETS["classroom"].settings)
        before, start = _bare_step(design, data, recipe.batch_size), process_time()
        *records, done = Training(recipe, data=data).records()
        seconds += process_time() - start
        after = _bare_step(design, data, recipe.batch_size)
        bare_seconds += (before + after) / 2 * sum(isinstance(record, Step) for record in records)
        assert isinstance(done, Done)
        accuracy[name] = done.test_accuracy
    assert accuracy["fused"] - accuracy["deep"] >= 0.4, accuracy
    assert accuracy["shallow"] > accuracy["deep"], accuracy
    assert seconds < 1.5 * bare_seconds, (seconds, bare_seconds)


def _bare_step(design: Design, data: Dataset, batch_size: int) -> float:
    """Seconds of this process that one step of plain torch takes on the same net and batch size."""
    net = build(design).train().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    images = data.normalise(data.train.images[:batch_size]).contiguous(memory_format=torch.channels_last)
    labels = data.train.labels[:batch_size]

    def step() -> None:
        optimizer.zero_grad()
        cross_entropy(net(images), labels).backward()
        optimizer.step()

    step()
    start = process_time()
    for _ in range(BARE_STEPS):
        step()
    return (process_time() - start) / BARE_STEPS
