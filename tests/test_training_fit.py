"""The loop: what happens in 0 steps, in 2 and in all, against a loop written by hand, and taken up again anywhere."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import isfinite
from typing import Any, TypeVar

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import dfn
from dfn.data import Batches, Dataset, load_data
from dfn.design.catalogue import catalogue, fused
from dfn.models.build import Fused, build
from dfn.training.descent import Descent
from dfn.training.fit import State, Training, weights_sha256
from dfn.training.objectives import objective_of
from dfn.training.recipe import Recipe, RecipeError, learning_rate
from dfn.training.records import Begin, Diverged, Done, Epoch, Norms, Record, Step, from_line, to_line

Kind = TypeVar("Kind")


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits", train_limit=160, test_limit=50)


def small(**settings: Any) -> Recipe:
    """Ten steps an epoch on a net that takes milliseconds."""
    design = settings.pop("design", fused(8, 5, 3, 2, in_channels=1))
    return Recipe(**({"design": design, "epochs": 2, "batch_size": 16, "lr": 0.05} | settings))


def only(kind: type[Kind], records: list[Record]) -> list[Kind]:
    return [record for record in records if isinstance(record, kind)]


def without_seconds(records: list[Record]) -> list[Record]:
    return [replace(r, seconds=0.0) if isinstance(r, Epoch | Done) else r for r in records]


def parameters(training: Training) -> list[torch.Tensor]:
    return [p.detach().clone() for p in training.net.parameters()]


def test_no_epochs_change_nothing_and_still_report(digits: Dataset):
    training = Training(small(epochs=0), data=digits)
    begin, start, done = training.records()
    assert isinstance(begin, Begin) and isinstance(start, Epoch) and isinstance(done, Done)
    assert (start.epoch, start.step, start.train_loss, start.train_accuracy) == (0, 0, None, None)
    assert (done.step, done.train_loss, done.test_accuracy) == (0, None, start.test_accuracy)
    fresh = build(training.recipe.design, training.recipe.seed)
    assert all(torch.equal(a, b) for a, b in zip(fresh.parameters(), training.net.parameters(), strict=True))


@pytest.mark.parametrize(
    "design",
    [
        fused(8, 5, 3, 2, in_channels=1),
        fused(8, 2, 3, 2, "gate", in_channels=1, norm="none", relu="before"),
        fused(bases=[8, 5, 2], fusions=3, width=3, join="concat", in_channels=1),
        fused(8, 5, 0, 2, in_channels=1),
        catalogue()["inception"].make(width=8, in_channels=1),
        catalogue()["fractal"].make(width=4, in_channels=1),
    ],
    ids=["fused", "gate", "concat", "decision", "inception", "fractal"],
)
def test_two_steps_change_every_tensor(design: dfn.Design, digits: Dataset):
    two = replace(digits, train=digits.train.take(torch.arange(128)))
    training = Training(small(design=design, epochs=1, batch_size=64, weight_decay=0.0), data=two)
    before = parameters(training)
    records = list(training.records())
    assert len(only(Step, records)) == 2
    for (name, parameter), old in zip(training.net.named_parameters(), before, strict=True):
        assert not torch.equal(parameter, old), name


def test_records_come_in_order(digits: Dataset):
    records = list(Training(small(), data=digits).records())
    kinds = [type(record) for record in records]
    assert kinds[:2] == [Begin, Epoch] and kinds[-2:] == [Epoch, Done]
    assert [step.step for step in only(Step, records)] == list(range(1, 21))
    assert [norms.step for norms in only(Norms, records)] == [1, 11]
    assert [(epoch.epoch, epoch.step) for epoch in only(Epoch, records)] == [(0, 0), (1, 10), (2, 20)]
    seconds = [record.seconds for record in records if isinstance(record, Epoch | Done)]
    assert 0 < seconds[0] < seconds[1] < seconds[2] == seconds[3]
    begin, done = records[0], records[-1]
    assert isinstance(begin, Begin) and isinstance(done, Done)
    assert (begin.steps, begin.steps_per_epoch, begin.train_images, begin.test_images) == (20, 10, 160, 50)
    assert begin.parameters == dfn.cost(small().design).parameters
    assert (begin.device, begin.precision) == (str(Training(small(), data=digits).device), "fp32")
    assert done.test_accuracy == only(Epoch, records)[-1].test_accuracy


def test_epochs_sum_up_their_steps(digits: Dataset):
    records = list(Training(small(), data=digits).records())
    steps = only(Step, records)
    for epoch, own in zip(only(Epoch, records)[1:], (steps[:10], steps[10:]), strict=True):
        assert epoch.train_loss == pytest.approx(sum(step.loss for step in own) / 10)
        assert epoch.train_accuracy == pytest.approx(sum(step.accuracy for step in own) / 10)
    assert only(Done, records)[0].train_loss == only(Epoch, records)[-1].train_loss


@pytest.mark.parametrize("schedule", ["cosine", "step", "constant"])
@pytest.mark.parametrize("warmup", [0.0, 0.3])
def test_learning_rate_of_every_step(schedule: str, warmup: float, digits: Dataset):
    training = Training(small(schedule=schedule, warmup=warmup, epochs=1), data=digits)
    for step in only(Step, list(training.records())):
        assert step.lr == learning_rate(training.recipe, step.step - 1, 10)
        assert step.lr > 0


@pytest.mark.parametrize("augment", [False, True])
def test_the_loop_is_the_loop_that_anyone_would_write(augment: bool, digits: Dataset):
    recipe = small(augment=augment, seed=3)
    training = Training(recipe, data=digits)
    records = list(training.records())

    net = build(recipe.design, recipe.seed).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0, momentum=0.9, nesterov=True, weight_decay=1e-4, fused=True)
    losses, step = [], 0
    for epoch in range(2):
        for x, y in Batches(digits, 16, seed=3, augment=augment).epoch(epoch):
            optimizer.param_groups[0]["lr"] = learning_rate(recipe, step, 20)
            loss = cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            step += 1
    assert [s.loss for s in only(Step, records)] == losses
    for (name, own), expected in zip(training.net.named_parameters(), net.parameters(), strict=True):
        assert torch.equal(own, expected), name


@pytest.mark.medium
def test_measuring_changes_nothing(digits: Dataset):
    with_telemetry, without = (list(Training(small(), data=digits, telemetry=t).records()) for t in (True, False))
    assert only(Done, with_telemetry)[0].weights_sha256 == only(Done, without)[0].weights_sha256
    assert only(Step, with_telemetry) == only(Step, without)
    assert not only(Norms, without) and all(epoch.maps == {} for epoch in only(Epoch, without))


@pytest.mark.medium
def test_fit_is_training_and_leaves_random_numbers_alone(digits: Dataset):
    recipe = small(design=fused(8, 5, 3, 2, in_channels=1, dropout=0.2, drop_path=0.3), epochs=1)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    records = list(dfn.fit(recipe, data=digits))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(12)
    assert without_seconds(records) == without_seconds(list(Training(recipe, data=digits).records()))
    other = list(dfn.fit(recipe.model_copy(update={"seed": 1}), data=digits))
    assert {s.loss for s in only(Step, records)}.isdisjoint({s.loss for s in only(Step, other)})


@pytest.mark.medium
@pytest.mark.parametrize(
    "design",
    [
        fused(8, 5, 3, 2, in_channels=1, dropout=0.2, drop_path=0.3),
        fused(8, 5, 3, 2, in_channels=1, drop_path=0.3, global_drop_path=0.5),
        fused(8, 2, 3, 2, "gate", in_channels=1, norm="none", relu="before"),
    ],
    ids=["drops", "columns", "gate"],
)
def test_resume_after_any_record(design: dfn.Design, digits: Dataset):
    digits = replace(digits, train=digits.train.take(torch.arange(6 * 16)))
    recipe = small(design=design, augment=True)
    training = Training(recipe, data=digits)
    records, states = [], []
    for record in training.records():
        records.append(record)
        states.append(training.state())
    assert len(records) == 1 + 12 + 2 + 3 + 1
    for done, state in enumerate(states, start=1):
        numbers = json.loads(json.dumps(state.numbers))
        resumed = Training(recipe, data=digits)
        resumed.restore(State(dict(state.tensors), numbers))
        begin, *rest = resumed.records()
        assert isinstance(begin, Begin)
        left = records[done:] or records[-1:]  # the end says again that it is the end
        assert without_seconds(rest) == without_seconds(left), done


@pytest.mark.medium
def test_rewind_gives_the_same_curve(digits: Dataset):
    training = Training(small(), data=digits)
    start = training.state()
    first = list(training.records())
    training.restore(start)
    assert without_seconds(list(training.records())) == without_seconds(first)


def test_a_state_does_not_move_with_the_training(digits: Dataset):
    training = Training(small(epochs=1), data=digits)
    state = training.state()
    before = {name: tensor.clone() for name, tensor in state.tensors.items()}
    list(training.records())
    assert all(torch.equal(before[name], tensor) for name, tensor in state.tensors.items())
    assert state.numbers["step"] == 0 and training.state().numbers["step"] == 10


@pytest.mark.medium
def test_left_in_the_middle_of_a_look_it_trains_on(digits: Dataset):
    """A reader that evaluates the net between two records does not disturb the training."""
    undisturbed = list(Training(small(epochs=1), data=digits).records())
    training = Training(small(epochs=1), data=digits)
    records = []
    for record in training.records():
        records.append(record)
        training.net.eval()
        with torch.no_grad():
            training.net(torch.randn(2, 1, 8, 8))
    assert only(Step, records) == only(Step, undisturbed)


@pytest.mark.medium
def test_overfits_one_batch(digits: Dataset):
    one = replace(digits, train=digits.train.take(torch.arange(16)), test=digits.train.take(torch.arange(16)))
    recipe = small(design=fused(8, 5, 3, 8, in_channels=1), epochs=50)
    last = only(Epoch, list(Training(recipe, data=one).records()))[-1]
    assert last.train_accuracy == last.test_accuracy == 1.0
    assert last.train_loss is not None and last.train_loss < 0.05


@pytest.mark.medium
@pytest.mark.parametrize("bases", [[8, 5], [8, 5, 2]])
def test_mean_of_losses_is_training_apart(bases: list[int], digits: Dataset):
    design = fused(bases=bases, fusions=0, width=2, in_channels=1)
    recipe, net = small(design=design, objective="mean-of-losses"), build(design).train()
    x, y = next(Batches(digits, 16, seed=0).epoch(0))
    loss, logits = objective_of(recipe, digits.shape)(net, x, y, 0.0)
    loss.backward()
    gradients = [p.grad for p in net.parameters()]
    fusion = net.body.get_submodule("fusion1")
    assert isinstance(fusion, Fused)
    losses, alone, outputs = [], [], []
    for branch in fusion.branches.values():
        output = branch(x)
        losses.append(cross_entropy(output, y))
        alone += torch.autograd.grad(losses[-1], list(branch.parameters()))
        outputs.append(output)
    torch.testing.assert_close(loss, torch.stack(losses).mean())
    torch.testing.assert_close(logits, torch.stack(outputs).mean(0))
    for gradient, own in zip(gradients, alone, strict=True):
        torch.testing.assert_close(gradient, own / len(bases), rtol=1e-4, atol=1e-7)
    assert isfinite(only(Done, list(Training(recipe, data=digits).records()))[0].test_accuracy)


def test_a_loss_that_explodes_stops_the_run(digits: Dataset):
    recipe = small(design=fused(8, 5, 3, 8, in_channels=1, norm="none"), lr=1000.0, warmup=0.0)
    training = Training(recipe, data=digits)
    *before, last = training.records()
    assert isinstance(last, Diverged)
    assert not only(Done, before) and not only(Diverged, before)
    assert last.step == len(only(Step, before)) + 1 and not isfinite(float(last.loss))
    assert "learning rate" in last.advice
    assert all(isfinite(step.loss) for step in only(Step, before))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("step", [0, 4, 10, 20])
def test_weights_that_are_no_numbers_stop_the_run(value: float, step: int, digits: Dataset):
    """At the start, inside an epoch, at the end of one, and after the very last step."""
    training = Training(small(), data=digits, telemetry=False)
    seen: list[Record] = []
    for record in training.records():
        seen.append(record)
        if (isinstance(record, Step) and record.step == step) or (isinstance(record, Begin) and step == 0):
            with torch.no_grad():
                next(training.net.parameters()).fill_(value)
    assert isinstance(seen[-1], Diverged) and not only(Done, seen)
    assert seen[-1].step in (step, step + 1)
    assert all(isfinite(epoch.test_loss) for epoch in only(Epoch, seen))


def test_hash_sees_every_bit():
    net = build(fused(8, 5, 3, 2, in_channels=1))
    first = weights_sha256(net)
    assert weights_sha256(build(fused(8, 5, 3, 2, in_channels=1))) == first
    net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    assert weights_sha256(net.eval()) == first
    hashes = set()
    for tensor in net.state_dict().values():
        bits = tensor.untyped_storage()
        lowest = len(bits) - tensor.element_size()  # of the last number, in little-endian memory
        bits[lowest] = bits[lowest] ^ 1
        hashes.add(weights_sha256(net))
        bits[lowest] = bits[lowest] ^ 1
    assert len(hashes) == len(net.state_dict()) and first not in hashes
    assert weights_sha256(net) == first


MISFITS: dict[str, tuple[Callable[[], Recipe], str]] = {
    "channels": (
        lambda: small(design=fused(8, 5, 3, 2, in_channels=3)),
        "design.in_channels: 3 is not accepted; accepted: 1, the channels of the images of digits",
    ),
    "classes": (
        lambda: small(design=fused(8, 5, 3, 2, in_channels=1, classes=9)),
        "design.classes: 9 is not accepted; accepted: 10 or more, the classes of digits",
    ),
}


@pytest.mark.parametrize(("make", "message"), MISFITS.values(), ids=MISFITS.keys())
def test_a_net_that_does_not_fit_its_data_is_refused(make: Callable[[], Recipe], message: str, digits: Dataset):
    with pytest.raises(RecipeError) as refused:
        Training(make(), data=digits)
    assert str(refused.value) == message


def test_the_smallest_nets_images_and_splits():
    recipe = small(design=fused(8, 5, 3, 1, in_channels=1), size=4, train_limit=2, test_limit=2, epochs=1)
    records = list(Training(recipe).records())
    assert isinstance(records[-1], Done) and len(only(Step, records)) == 1


def test_more_classes_than_the_data_has(digits: Dataset):
    design = fused(8, 5, 3, 2, in_channels=1, classes=30)
    epochs = only(Epoch, list(Training(small(design=design), data=digits).records()))
    assert [epoch.confusion is None for epoch in epochs] == [True, True, False]
    assert epochs[-1].confusion is not None and len(epochs[-1].confusion) == 30


def test_records_survive_json(digits: Dataset):
    def lists(value: Any) -> Any:
        return json.loads(json.dumps(value))

    diverged = Diverged(step=3, loss="nan", advice="less")
    for record in [*Training(small(epochs=1), data=digits).records(), diverged]:
        line = lists(to_line(record))
        assert line["event"] == type(record).__name__.lower()
        assert type(from_line(line)) is type(record)
        assert lists(to_line(from_line(line))) == line


def test_group_settings_reach_the_descent(digits: Dataset):
    def descent(**changes: Any) -> Descent:
        return Training(small(**changes), data=digits).descent

    assert (descent().momentum, descent().weight_decay) == (0.9, 1e-4)
    assert (descent(momentum=0.0).momentum, descent(weight_decay=0.0).weight_decay) == (0.0, 0.0)
    everything = len(list(build(small().design).parameters()))
    assert len(descent().parameters) == everything  # norms and biases too, as the group has it


@pytest.mark.parametrize(("momentum", "decay"), [(0.9, 1e-4), (0.0, 0.0), (0.5, 0.1)])
def test_the_descent_is_torchs_own(momentum: float, decay: float):
    nets = [build(small().design, seed=1) for _ in range(2)]
    descent = Descent(dict(nets[0].named_parameters()), momentum=momentum, weight_decay=decay)
    reference = torch.optim.SGD(
        nets[1].parameters(), lr=0.1, momentum=momentum, nesterov=momentum > 0, weight_decay=decay, fused=True
    )
    for step in range(3):
        for net in nets:
            net.zero_grad()
            net(torch.ones(4, 1, 8, 8) * (step + 1)).logsumexp(1).sum().backward()
        descent.step(0.1)
        reference.step()
    for ours, theirs in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_without_momentum_it_resumes_too(digits: Dataset):
    recipe = small(momentum=0.0, epochs=1)
    training = Training(recipe, data=digits)
    state = None
    records = []
    for record in training.records():
        records.append(record)
        if isinstance(record, Step) and record.step == 5:
            state = training.state()
    assert state is not None
    resumed = Training(recipe, data=digits)
    resumed.restore(state)
    assert only(Done, list(resumed.records()))[0].weights_sha256 == only(Done, records)[0].weights_sha256


def test_dropout_is_drawn_anew_in_every_step(digits: Dataset):
    recipe = small(design=fused(2, 2, 3, 2, in_channels=1, dropout=0.5), epochs=1)
    training = Training(recipe, data=digits)
    masks: list[torch.Tensor] = []
    for module in training.net.modules():
        if isinstance(module, nn.Dropout):
            module.register_forward_hook(lambda m, _, out: masks.append(out.eq(0)) if m.training else None)
    list(training.records())
    assert len(masks) == 10
    assert all(not torch.equal(a, b) for a, b in pairwise(masks))
