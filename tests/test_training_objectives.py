"""Every objective against a few lines of plain torch, and each of them taken up again in the middle of its run."""

import json
from copy import deepcopy
from dataclasses import replace
from itertools import pairwise
from math import isfinite
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dfn.data import Batches, Dataset, load_data
from dfn.design.catalogue import fused, plain
from dfn.design.nodes import Fusion, Head, Series, View
from dfn.design.relatives import VIEWS, views
from dfn.design.spec import Design
from dfn.models.build import Fused, FusedNet, build
from dfn.training.fit import State, Training
from dfn.training.objectives import objective_of
from dfn.training.objectives.supervision import base_logits
from dfn.training.recipe import Recipe, RecipeError, learning_rate
from dfn.training.records import Begin, Done, Epoch, Norms, Record, Step

TEACHER = plain(5, 3, 3, in_channels=1)
STUDENT = plain(8, 3, 2, in_channels=1)
ID = "0123456789ab"


def early_exit() -> Design:
    """A plain net with a classifier after its first block, its logits added to those of the last one."""
    nodes = STUDENT.body.nodes
    side = Fusion(branches=(Series(nodes=(Head(),)), Series(nodes=nodes[4:])), relu="before")
    return STUDENT.model_copy(update={"body": Series(nodes=(*nodes[:4], side))})


CASES: dict[str, dict[str, Any]] = {
    "mean-of-losses": {"design": fused(8, 5, 0, 2, in_channels=1)},
    "sum-of-losses": {"design": fused(8, 5, 0, 2, in_channels=1)},
    "side-outputs": {"design": early_exit()},
    "companion-losses": {"design": fused(8, 5, 3, 2, in_channels=1), "companion_share": 0.6},
    "auxiliary-paths": {"design": fused(8, 5, 3, 2, in_channels=1, drop_path=0.3)},
    "distillation": {"design": STUDENT, "teacher": ID},
    "fitnets": {"design": STUDENT, "teacher": ID},
}


def recipe(objective: str, **settings: Any) -> Recipe:
    return Recipe(
        **({"objective": objective, "epochs": 2, "batch_size": 16, "lr": 0.05} | CASES.get(objective, {}) | settings)
    )


def training(wanted: Recipe, data: Dataset) -> Training:
    return Training(wanted, data=data, teacher=build(TEACHER, seed=5) if wanted.teacher else None)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits", train_limit=96, test_limit=40)


@pytest.fixture(scope="module")
def batch(digits: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    return next(Batches(digits, 16, seed=0).epoch(0))


def without_seconds(records: list[Record]) -> list[Record]:
    return [replace(r, seconds=0.0) if isinstance(r, Epoch | Done) else r for r in records]


@pytest.mark.medium
@pytest.mark.parametrize("objective", CASES)
def test_it_trains_under_the_same_loop_and_resumes_to_equal_bits(objective: str, digits: Dataset):
    wanted = recipe(objective)
    whole = training(wanted, digits)
    records, states = [], []
    for record in whole.records():
        records.append(record)
        states.append(whole.state())
    assert isinstance(records[-1], Done)
    assert all(isfinite(record.loss) for record in records if isinstance(record, Step))
    assert any(isinstance(record, Norms) for record in records)
    for done in (4, 9, 14):
        resumed = training(wanted, digits)
        resumed.restore(State(dict(states[done].tensors), json.loads(json.dumps(states[done].numbers))))
        begin, *rest = resumed.records()
        assert isinstance(begin, Begin)
        assert without_seconds(rest) == without_seconds(records[done + 1 :])


@pytest.mark.parametrize("objective", CASES)
def test_what_an_objective_learns_is_in_the_state_and_never_in_the_net(objective: str, digits: Dataset):
    run = training(recipe(objective), digits)
    own = {name for name in run.state().tensors if name.startswith("objective.")}
    assert own == {f"objective.{name}" for name, _ in run.objective.named_parameters()}
    assert bool(own) == (objective in ("companion-losses", "fitnets"))
    assert run.net.state_dict().keys() == build(run.recipe.design).state_dict().keys()
    before = {name: tensor.clone() for name, tensor in run.objective.state_dict().items()}
    begin, *_ = run.records()
    assert isinstance(begin, Begin) and begin.parameters == sum(p.numel() for p in run.net.parameters())
    for name, tensor in run.objective.state_dict().items():
        assert not torch.equal(tensor, before[name]), name


@pytest.mark.medium
@pytest.mark.parametrize(("objective", "rate", "decay"), [("sum-of-losses", 1.0, 1.0), ("mean-of-losses", 2.0, 0.5)])
def test_whole_nets_trained_together_are_the_nets_trained_alone(
    objective: str, rate: float, decay: float, digits: Dataset
):
    """The sum as it stands; the mean of K losses with K times the learning rate and a K-th of the weight decay."""
    design = fused(8, 5, 0, 2, in_channels=1)
    settings = {"batch_size": 16, "epochs": 1, "warmup": 0.0}
    together = Training(
        Recipe(design=design, objective=objective, lr=0.05 * rate, weight_decay=1e-3 * decay, **settings), data=digits
    )
    fusion = together.net.body.get_submodule("fusion1")
    assert isinstance(fusion, Fused)
    alone = [deepcopy(branch).train() for branch in fusion.branches.values()]
    schedule = Recipe(design=plain(8, 3, 2, in_channels=1), lr=0.05, **settings)
    list(together.records())
    for own, branch in zip(alone, fusion.branches.values(), strict=True):
        descent = torch.optim.SGD(own.parameters(), lr=1.0, momentum=0.9, nesterov=True, weight_decay=1e-3)
        for step, (x, y) in enumerate(Batches(digits, 16, seed=0).epoch(0)):
            descent.param_groups[0]["lr"] = learning_rate(schedule, step, together.steps)
            descent.zero_grad()
            F.cross_entropy(own(x), y).backward()
            descent.step()
        for mine, theirs in zip(branch.parameters(), own.parameters(), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_a_clipped_joint_gradient_is_where_the_equality_ends(batch: tuple[torch.Tensor, torch.Tensor]):
    """Clipping by the norm of all gradients makes the step of one net depend on the other one."""
    x, y = batch
    net = build(fused(8, 5, 0, 2, in_channels=1)).train()
    objective_of(recipe("sum-of-losses"), (1, 8, 8))(net, x, y, 0.0)[0].backward()
    fusion = net.body.get_submodule("fusion1")
    assert isinstance(fusion, Fused)
    first = next(iter(fusion.branches.values()))
    assert nn.utils.get_total_norm([p.grad for p in net.parameters() if p.grad is not None]) > (
        1.01 * nn.utils.get_total_norm([p.grad for p in first.parameters() if p.grad is not None])
    )


def test_side_outputs_are_losses_of_every_classifier(batch: tuple[torch.Tensor, torch.Tensor]):
    x, y = batch
    net = build(early_exit()).train()
    loss, logits = objective_of(recipe("side-outputs"), (1, 8, 8))(net, x, y, 0.0)
    early, rest = net.body.get_submodule("fusion1.branches").children()
    stem = x
    for name, module in net.body.named_children():
        stem = stem if name == "fusion1" else module(stem)
    sides = [early(stem), rest(stem)]
    torch.testing.assert_close(logits, sides[0] + sides[1])
    expected = F.cross_entropy(sum(sides), y) + F.cross_entropy(sides[0], y) + F.cross_entropy(sides[1], y)
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize(("progress", "weight"), [(0.0, 0.1), (0.15, 0.075), (0.3, 0.05), (0.6, 0.0), (0.9, 0.0)])
def test_companions_lose_their_weight(progress: float, weight: float, batch: tuple[torch.Tensor, torch.Tensor]):
    x, y = batch
    wanted = recipe("companion-losses")
    net, objective = build(wanted.design).train(), objective_of(wanted, (1, 8, 8))
    loss, logits = objective(net, x, y, progress)
    _, maps = net.trace(x)
    expected = F.cross_entropy(logits, y)
    for name in ("fusion1/joined", "fusion2/joined"):
        linear = dict(objective.named_modules())[f"heads.{name}.2"]
        assert isinstance(linear, nn.Linear)
        expected = expected + weight * F.cross_entropy(linear(maps[name].mean((2, 3))), y)
    torch.testing.assert_close(loss, expected)


def test_companions_that_are_gone_stay_as_they_are(digits: Dataset):
    run = training(recipe("companion-losses", epochs=2, companion_share=0.5), digits)
    kept = []
    for record in run.records():
        if isinstance(record, Step):
            kept.append(deepcopy(run.objective.state_dict()))
    changed = [any(not torch.equal(a[k], b[k]) for k in a) for a, b in pairwise(kept)]
    assert changed == [True] * 5 + [False] * 6


def base_network(net: FusedNet, lane: int, x: torch.Tensor) -> torch.Tensor:
    for module in net.body.children():
        x = F.relu(list(module.branches.values())[lane](x)) if isinstance(module, Fused) else module(x)
    return x


@pytest.mark.parametrize(
    "design",
    [fused(bases=[8, 5, 4], fusions=3, width=2, in_channels=1), views("deep", 8, 3, 2, in_channels=1)],
    ids=["bases", "views"],
)
def test_auxiliary_paths_are_the_base_networks_with_the_same_weights(
    design: Design, batch: tuple[torch.Tensor, torch.Tensor]
):
    x, y = batch
    net = build(design).train()
    loss, logits = objective_of(recipe("auxiliary-paths", design=design), (1, 8, 8))(net, x, y, 0.0)
    all_logits = [net(x), *(base_network(net, lane, x) for lane in range(3))]
    torch.testing.assert_close(logits, all_logits[0])
    torch.testing.assert_close(loss, torch.stack([F.cross_entropy(each, y) for each in all_logits]).mean())


def test_an_auxiliary_path_of_a_view_is_a_net_of_that_view(batch: tuple[torch.Tensor, torch.Tensor]):
    """Each column of the views against a plain net of one view that was built by itself and given its weights."""
    x, _ = batch
    net = build(views("deep", 8, 3, 2, in_channels=1)).train()
    for lane, view in enumerate(VIEWS):
        nodes = plain(8, 3, 2, in_channels=1).body.nodes
        alone = build(Design(body=Series(nodes=(View(view=view), *nodes)), in_channels=1)).train()
        other = [f"base{k + 1}" for k in range(3) if k != lane]
        own = [value for name, value in net.state_dict().items() if not any(part in name for part in other)]
        for target, value in zip(alone.state_dict().values(), own, strict=True):
            target.copy_(value)
        torch.testing.assert_close(base_logits(net, x)[lane], alone(x))


@pytest.mark.parametrize(("progress", "weight"), [(0.0, 4.0), (0.5, 2.5), (1.0, 1.0)])
def test_distillation(progress: float, weight: float, batch: tuple[torch.Tensor, torch.Tensor]):
    x, y = batch
    net, teacher = build(STUDENT).train(), build(TEACHER, seed=5)
    wanted = recipe("distillation", temperature=2.5)
    loss, logits = objective_of(wanted, (1, 8, 8), teacher)(net, x, y, progress)
    soft = F.softmax(teacher.eval()(x) / 2.5, 1)
    expected = F.cross_entropy(logits, y) - weight * (soft * F.log_softmax(logits / 2.5, 1)).sum(1).mean()
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert all(p.grad is None for p in teacher.parameters())


def test_hints_come_first_and_then_distillation(batch: tuple[torch.Tensor, torch.Tensor]):
    x, y = batch
    net, teacher = build(STUDENT).train(), build(TEACHER, seed=5).eval()
    hints = objective_of(recipe("fitnets"), (1, 8, 8), teacher)
    loss, _ = hints(net, x, y, 0.1)
    taught, guided = teacher.trace(x)[1]["block1"], net.trace(x)[1]["block1"]
    weight, bias = hints.regressor.weight, hints.regressor.bias  # pyright: ignore[reportAttributeAccessIssue]
    torch.testing.assert_close(loss, 0.5 * (F.conv2d(guided, weight, bias) - taught).square().mean())
    loss.backward()
    reached = {name for name, p in net.named_parameters() if p.grad is not None}
    before = {
        name for name in dict(net.named_parameters()) if name.startswith(("body.stem", "body.conv2", "body.conv3"))
    }
    assert reached == before != set(dict(net.named_parameters()))
    later = objective_of(recipe("distillation"), (1, 8, 8), teacher)
    torch.testing.assert_close(hints(net, x, y, 0.625)[0], later(net, x, y, 0.5)[0])


def test_the_regressor_brings_a_larger_map_to_the_size_of_the_hint():
    teacher = build(plain(5, 3, 3, in_channels=1))
    wide = recipe("fitnets", design=fused(8, 5, 9, 2, in_channels=1))  # its middle fusion lies in another stage
    hints = objective_of(wide.model_copy(update={"design": plain(8, 3, 2, in_channels=1)}), (1, 8, 8), teacher)
    assert hints.regressor.kernel_size == (1, 1)  # pyright: ignore[reportAttributeAccessIssue]
    late = build(fused(8, 5, 6, 2, in_channels=1))
    hints = objective_of(recipe("fitnets", design=plain(8, 3, 2, in_channels=1)), (1, 8, 8), late)
    assert hints.regressor.kernel_size == (5, 5)  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(RecipeError, match="middle map has 8 pixels a side"):
        objective_of(wide.model_copy(update={"design": fused(8, 5, 6, 2, in_channels=1)}), (1, 8, 8), teacher)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        (None, "without its net is not accepted"),
        (plain(5, 3, 3), "a net of 3 channels and 10 classes is not accepted; accepted: 1 channels and 10 classes"),
        (plain(5, 3, 3, classes=7, in_channels=1), "1 channels and 7 classes"),
    ],
)
def test_a_teacher_that_does_not_fit_is_refused(teacher: Design | None, message: str, digits: Dataset):
    with pytest.raises(RecipeError, match=message):
        Training(recipe("distillation"), data=digits, teacher=build(teacher) if teacher else None)


def test_a_teacher_is_left_as_it_is(digits: Dataset):
    teacher = build(TEACHER, seed=5).train()
    before = deepcopy(teacher.state_dict())
    list(Training(recipe("fitnets"), data=digits, teacher=teacher).records())
    assert teacher.training and all(p.grad is None for p in teacher.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in teacher.state_dict().items())
