"""The step that a CUDA graph holds, run on its static buffers without a graph: the same bits as the plain step."""

import pytest
import torch
from runs_nursery import tiny

import dfn
from dfn.training.capture import CAPTURED, StaticStep, can_be_captured
from dfn.training.fit import Training, weights_sha256
from dfn.training.recipe import Recipe
from dfn.training.records import Begin, Norms, Step


def on_static_buffers(training: Training) -> Training:
    """The training with its step as it would be captured, and with a tensor as learning rate."""
    x, y = next(iter(training.batches.epoch(0)))
    training.descent.prepare()
    training.captured = StaticStep(training._update, x, y, [])
    return training


@pytest.mark.medium
def test_static_buffers_and_a_tensor_as_rate_change_no_bit() -> None:
    plain, static = Training(tiny()), on_static_buffers(Training(tiny()))
    expected, found = (
        [record for record in training.records() if isinstance(record, Step | Norms)] for training in (plain, static)
    )
    assert [type(record) for record in found] == [type(record) for record in expected]
    for one, other in zip(found, expected, strict=True):
        if isinstance(one, Step) and isinstance(other, Step):
            assert (one.step, one.loss, one.accuracy, one.lr) == (other.step, other.loss, other.accuracy, other.lr)
        else:
            assert one == other
    assert weights_sha256(static.net) == weights_sha256(plain.net)


def test_the_result_of_a_step_outlives_the_next_one() -> None:
    step = StaticStep(lambda x, y, lr: x.sum() * lr + y.sum(), torch.zeros(2), torch.zeros(2), [])
    first = step(torch.tensor([1.0, 2.0]), torch.zeros(2), 0.5)
    assert step(torch.tensor([5.0, 5.0]), torch.ones(2), 2.0).item() == 22.0
    assert first.item() == 1.5


def test_what_may_do_more_at_a_step_is_not_captured() -> None:
    assert can_be_captured(tiny(seed=3, lr=0.1, augment=True, net="plain"))
    decision = dfn.fused(8, 5, 0, width=4, in_channels=1)
    assert not can_be_captured(tiny(design=decision, objective="mean-of-losses"))
    assert Recipe.model_fields.keys() >= CAPTURED


def test_a_cpu_has_no_graph_and_says_nothing_of_one() -> None:
    training = Training(tiny(), device="cpu")
    begin = next(training.records())
    assert isinstance(begin, Begin) and "graph" not in begin.note and training.captured is None
