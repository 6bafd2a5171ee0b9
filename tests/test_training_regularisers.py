"""Path-SGD against sums over paths and against rescaling; early stopping against a look at every epoch."""

import json
from copy import deepcopy
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch
from torch import nn

from dfn.data import Batches, Dataset, load_data
from dfn.design.catalogue import fused, plain
from dfn.design.nodes import Conv, Head, Series
from dfn.design.spec import Design
from dfn.models.build import FusedNet, build
from dfn.training.evaluate import evaluate
from dfn.training.fit import State, Training
from dfn.training.path_sgd import PathScaling
from dfn.training.recipe import Recipe, RecipeError
from dfn.training.records import Begin, Done, Epoch, Record, Step, Stopped


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits", train_limit=160, test_limit=40)


def small(**settings: Any) -> Recipe:
    design = settings.pop("design", fused(8, 5, 3, 2, in_channels=1))
    return Recipe(**({"design": design, "epochs": 2, "batch_size": 16, "lr": 0.05} | settings))


# Path-SGD


def without_norm(net: FusedNet, c: float = 3.0) -> FusedNet:
    """A copy whose second conv makes c times as large maps, and whose third takes that back."""
    copy = deepcopy(net)
    _, second, third, *_ = (module for module in copy.modules() if isinstance(module, nn.Conv2d))
    with torch.no_grad():
        assert second.bias is not None
        second.weight[0] *= c
        second.bias[0] *= c
        third.weight[:, 0] /= c
    return copy


def test_kappa_is_the_sum_over_paths():
    """On one pixel a net of 1x1 convs is a perceptron: every path is a product that can be written out."""
    body = Series(nodes=(*(Conv(channels=3, kernel=1) for _ in range(2)), Head()))
    net = build(Design(body=body, in_channels=2, classes=2, norm="none"), seed=3)
    one, two, out = (
        m.weight.detach().double().flatten(1) for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)
    )
    kappa = PathScaling(net, (2, 1, 1)).kappa(net)
    expected = [torch.zeros_like(one), torch.zeros_like(two), torch.zeros_like(out)]
    for i, j, k, end in product(range(2), range(3), range(3), range(2)):
        a, b, c = one[j, i] ** 2, two[k, j] ** 2, out[end, k] ** 2
        expected[0][j, i] += b * c
        expected[1][k, j] += a * c
        expected[2][end, k] += a * b
    weights = [k for k in kappa if k.dim() > 1]
    for found, wanted in zip(weights, expected, strict=True):
        torch.testing.assert_close(found.flatten(1), wanted)


@pytest.mark.parametrize("path_sgd", [True, False])
def test_only_path_sgd_takes_no_notice_of_rescaling(path_sgd: bool, digits: Dataset):
    """The same function with other weights: after five steps it is still the same function, or it is not."""
    recipe = small(design=plain(6, 3, 3, in_channels=1, norm="none"), path_sgd=path_sgd, epochs=1, warmup=0.0)
    runs = [Training(recipe, data=digits, telemetry=False) for _ in range(2)]
    runs[1].net.load_state_dict(without_norm(runs[0].net).state_dict())
    x, _ = next(Batches(digits, 16, seed=1).epoch(0))
    torch.testing.assert_close(runs[0].net(x), runs[1].net(x))
    if path_sgd:  # one constant for both: it is a matter of the learning rate
        for run in runs:
            assert run.paths is not None
            run.paths.constant.fill_(3.0)
    for run in runs:
        for record in run.records():
            if isinstance(record, Step) and record.step == 5:
                break
    same = torch.allclose(runs[0].net(x), runs[1].net(x), rtol=1e-3, atol=1e-4)
    moved = not torch.allclose(runs[0].net(x), build(recipe.design)(x), rtol=1e-2)
    assert moved and same == path_sgd


def test_the_first_step_is_as_long_as_without(digits: Dataset):
    x, y = next(Batches(digits, 16, seed=1).epoch(0))
    net = build(fused(8, 5, 3, 2, in_channels=1)).train()
    nn.functional.cross_entropy(net(x), y).backward()
    gradients = [p.grad.clone() for p in net.parameters() if p.grad is not None]
    scaling = PathScaling(net, (1, 8, 8))
    scaling.scale_gradients(net)
    scaled = [p.grad for p in net.parameters() if p.grad is not None]
    torch.testing.assert_close(nn.utils.get_total_norm(scaled), nn.utils.get_total_norm(gradients))
    assert not torch.allclose(scaled[0], gradients[0])
    constant = scaling.constant.clone()
    scaling.scale_gradients(net)
    assert torch.equal(scaling.constant, constant), "once, at the first step"


@pytest.mark.medium
@pytest.mark.parametrize("design", [fused(50, 14, 6, 2, in_channels=1), fused(26, 8, 3, 4, "concat", in_channels=1)])
def test_deep_nets_with_batch_norm_stay_in_the_numbers(design: Design, digits: Dataset):
    records = list(Training(small(design=design, path_sgd=True, epochs=1), data=digits).records())
    assert isinstance(records[-1], Done)


# Early stopping


def without_seconds(records: list[Record]) -> list[Record]:
    return [replace(r, seconds=0.0) if isinstance(r, Epoch | Done) else r for r in records]


def impatient(**settings: Any) -> Recipe:
    """A learning rate that soon does harm, so that the best epoch is not the last one."""
    return small(**({"patience": 2, "epochs": 12, "lr": 0.5, "schedule": "constant", "warmup": 0.0} | settings))


@pytest.mark.medium
def test_it_stops_and_has_the_best_weights_back(digits: Dataset):
    training = Training(impatient(), data=digits)
    weights, records = {}, []
    for record in training.records():
        records.append(record)
        if isinstance(record, Epoch):
            weights[record.epoch] = deepcopy(training.net.state_dict())
    epochs = [r for r in records if isinstance(r, Epoch)]
    *_, stopped, done = records
    assert isinstance(stopped, Stopped) and isinstance(done, Done)
    losses = [e.held_out_loss for e in epochs if e.held_out_loss is not None]
    assert len(losses) == len(epochs) < 13
    assert stopped.best == losses.index(min(losses)) and stopped.held_out_loss == min(losses)
    assert stopped.epoch == stopped.best + 2 == epochs[-1].epoch
    assert "2 epochs without a lower loss" in stopped.reason and f"epoch {stopped.best}." in stopped.reason
    assert done.test_accuracy == epochs[stopped.best].test_accuracy
    best = weights[stopped.best]
    assert all(torch.equal(best[name], tensor) for name, tensor in training.net.state_dict().items())


def test_held_out_images_come_from_the_training_images_alone(digits: Dataset):
    training = Training(impatient(), data=digits)
    assert training.stopping is not None
    begin = next(training.records())
    assert isinstance(begin, Begin) and (begin.train_images, begin.test_images) == (144, 40)
    parts = [training.data.train.images, training.stopping.held_out.images]
    rows = torch.cat(parts).flatten(1)
    assert sorted(rows.tolist()) == sorted(digits.train.images.flatten(1).tolist())
    assert torch.equal(training.data.test.images, digits.test.images)
    found = evaluate(training.net, digits, training.device, training.stopping.held_out)
    assert sum(map(sum, found.confusion.tolist())) == 16


@pytest.mark.medium
def test_without_patience_running_out_the_best_weights_are_kept_too(digits: Dataset):
    *_, stopped, done = Training(impatient(patience=50, epochs=4), data=digits).records()
    assert isinstance(stopped, Stopped) and isinstance(done, Done)
    assert stopped.epoch == 4 and "all epochs were over" in stopped.reason


@pytest.mark.medium
def test_it_resumes_after_any_record(digits: Dataset):
    digits = replace(digits, train=digits.train.take(torch.arange(54)))
    recipe = impatient(epochs=5, path_sgd=True)
    training = Training(recipe, data=digits)
    records, states = [], []
    for record in training.records():
        records.append(record)
        states.append(training.state())
    assert isinstance(records[-2], Stopped)
    for done, state in enumerate(states, start=1):
        resumed = Training(recipe, data=digits)
        resumed.restore(State(dict(state.tensors), json.loads(json.dumps(state.numbers))))
        _, *rest = resumed.records()
        assert without_seconds(rest) == without_seconds(records[done:] or records[-1:]), done


def test_too_few_images_to_hold_some_out(digits: Dataset):
    few = replace(digits, train=digits.train.take(torch.arange(19)))
    with pytest.raises(RecipeError, match=r"recipe\.patience: 2 with 19 training images is not accepted"):
        Training(impatient(), data=few)
