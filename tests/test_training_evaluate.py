"""What is measured on a net agrees with brute force, and measuring leaves the training as it was."""

from collections import defaultdict
from copy import deepcopy
from math import prod, sqrt

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from dfn.data import Dataset, load_data
from dfn.design.catalogue import catalogue, fused
from dfn.models.build import FusedNet, build
from dfn.models.joins import Join
from dfn.training.evaluate import calibration_images, evaluate, map_statistics, measure_norms, recalibrate
from dfn.training.fit import Training
from dfn.training.recipe import Recipe
from dfn.training.records import Epoch, Norms

CPU = torch.device("cpu")
DROPS = fused(8, 5, 3, 3, in_channels=1, dropout=0.5, drop_path=0.5)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits", train_limit=160, test_limit=130)


@pytest.mark.parametrize("design", [DROPS, fused(8, 5, 0, 3, in_channels=1)], ids=["drops", "decision"])
def test_recalibrated_statistics_are_means_over_batches(design, digits: Dataset):
    net = build(design)
    batches = calibration_images(digits, 32, CPU)
    by_hand = deepcopy(net).train()
    means, variances = defaultdict(list), defaultdict(list)
    for name, module in by_hand.named_modules():
        if isinstance(module, nn.Dropout | Join):
            module.eval()
        elif isinstance(module, nn.BatchNorm2d):

            def collect(_: nn.Module, inputs: tuple[Tensor], name: str = name) -> None:
                means[name].append(inputs[0].mean((0, 2, 3)))
                variances[name].append(inputs[0].var((0, 2, 3)))

            module.register_forward_pre_hook(collect)
    with torch.no_grad():
        for batch in batches:
            by_hand(batch)
    recalibrate(net, batches)
    norms = {name: module for name, module in net.named_modules() if isinstance(module, nn.BatchNorm2d)}
    assert norms.keys() == means.keys()
    for name, norm in norms.items():
        assert isinstance(norm.running_mean, Tensor) and isinstance(norm.running_var, Tensor)
        torch.testing.assert_close(norm.running_mean, torch.stack(means[name]).mean(0))
        torch.testing.assert_close(norm.running_var, torch.stack(variances[name]).mean(0))
        assert norm.momentum == 0.1
    assert not any(module.training for module in net.modules())


def test_recalibration_forgets_what_was_before(digits: Dataset):
    batches = calibration_images(digits, 32, CPU)
    first, second = build(DROPS), build(DROPS).train()
    with torch.no_grad():
        second(torch.randn(4, 1, 8, 8))
    for net in (first, second):
        recalibrate(net, batches)
    assert all(torch.equal(a, b) for a, b in zip(first.buffers(), second.buffers(), strict=True))
    bare = build(fused(8, 5, 3, 3, in_channels=1, norm="none")).train()
    recalibrate(bare, batches)
    assert not bare.training


@pytest.mark.parametrize(("batch_size", "sizes"), [(64, [64, 64]), (2, [2] * 80), (1000, [160])])
def test_calibration_images_are_training_images_in_whole_batches(batch_size: int, sizes: list[int], digits: Dataset):
    state = torch.get_rng_state()
    batches = calibration_images(digits, batch_size, CPU)
    again = calibration_images(digits, batch_size, CPU)
    assert torch.equal(torch.get_rng_state(), state)
    assert [len(batch) for batch in batches] == sizes
    assert all(torch.equal(a, b) for a, b in zip(batches, again, strict=True))
    known = {image.numpy().tobytes() for image in digits.normalise(digits.train.images)}
    assert {image.contiguous().numpy().tobytes() for batch in batches for image in batch} <= known


def test_there_are_enough_calibration_images_and_not_more():
    data = load_data("digits")
    assert sum(map(len, calibration_images(data, 64, CPU))) == 512
    assert sum(map(len, calibration_images(data, 100, CPU))) == 500
    assert sum(map(len, calibration_images(data, 700, CPU))) == 512


def test_evaluation_is_what_it_says(digits: Dataset):
    net = build(DROPS)
    result = evaluate(net, digits, CPU)
    with torch.no_grad():
        logits = net.eval()(digits.normalise(digits.test.images))
    called, labels = logits.argmax(1), digits.test.labels
    assert result.loss == pytest.approx(cross_entropy(logits, labels).item(), rel=1e-5)
    assert result.accuracy == (called == labels).double().mean().item()
    for true in range(10):
        for call in range(10):
            assert result.confusion[true, call] == ((labels == true) & (called == call)).sum()


def test_confusion_of_every_epoch_counts_the_test_images(digits: Dataset):
    recipe = Recipe(design=fused(8, 5, 3, 3, in_channels=1), epochs=2, batch_size=32)
    for epoch in Training(recipe, data=digits).records():
        if isinstance(epoch, Epoch):
            assert epoch.confusion is not None
            counts = torch.tensor(epoch.confusion)
            assert counts.sum() == len(digits.test)
            assert torch.equal(counts.sum(1), digits.test.labels.bincount(minlength=10))
            assert epoch.test_accuracy == pytest.approx(counts.trace().item() / len(digits.test))


def test_map_statistics(digits: Dataset):
    net = build(fused(8, 5, 3, 3, in_channels=1))
    probe = digits.normalise(digits.test.images[:8])
    found = map_statistics(net, probe)
    _, trace = net.eval().trace(probe)
    assert found.keys() == trace.keys()
    for name, (mean, std, zeros) in found.items():
        values = trace[name].flatten().tolist()
        assert mean == pytest.approx(sum(values) / len(values), abs=1e-5)
        assert std == pytest.approx(sqrt(sum((v - mean) ** 2 for v in values) / len(values)), rel=1e-4)
        assert zeros == pytest.approx(values.count(0.0) / len(values))
    assert 0.2 < found["stem"][2] < 0.8


def euclid(tensors: list[Tensor]) -> float:
    return sqrt(sum(value**2 for tensor in tensors for value in tensor.flatten().tolist()))


PLACES = {
    "stem": "body.stem.",
    "fusion1/deep": "body.fusion1.branches.deep.",
    "fusion3/shallow": "body.fusion3.branches.shallow.",
    "fusion2/join": "body.fusion2.join.",
    "head": "body.logits.",
}


def test_norms_by_name(digits: Dataset):
    recipe = Recipe(design=fused(8, 5, 3, 3, "gate", in_channels=1), epochs=1, batch_size=32)
    training = Training(recipe, data=digits)
    before = {name: p.detach().clone() for name, p in training.net.named_parameters()}
    norms = next(record for record in training.records() if isinstance(record, Norms))
    now = dict(training.net.named_parameters())
    assert norms.step == 1
    blocks = [f"fusion{n}/{part}" for n in (1, 2, 3) for part in ("deep", "shallow", "join")]
    assert list(norms.gradient) == list(norms.weight) == list(norms.update) == ["stem", *blocks, "head"]
    for place, prefix in PLACES.items():
        own = [name for name in now if name.startswith(prefix)]
        gradients = [grad for name in own if (grad := now[name].grad) is not None]
        assert len(gradients) == len(own) > 0
        assert norms.gradient[place] == pytest.approx(euclid(gradients), rel=1e-4)
        assert norms.weight[place] == pytest.approx(euclid([now[name] for name in own]), rel=1e-4)
        moved = [now[name].detach() - before[name] for name in own]
        assert norms.update[place] == pytest.approx(euclid(moved), rel=1e-3)
        assert norms.update[place] > 0


@pytest.mark.parametrize("name", catalogue())
def test_norms_add_up_to_the_norm_of_the_net(name: str):
    net: FusedNet = build(catalogue()[name].make(width=4))
    before = {p: p.detach().clone() for p in net.parameters()}
    norms = measure_norms(net, before, 5)
    assert norms.step == 5
    assert sqrt(sum(n**2 for n in norms.weight.values())) == pytest.approx(euclid(list(net.parameters())), rel=1e-4)
    assert set(norms.update.values()) == {0.0} == set(norms.gradient.values())
    assert prod(norms.weight.values()) > 0
