"""The precision is the recipe's where it says one, fp32 where bf16 cannot pay, and else what a probe found faster."""

from copy import deepcopy
from typing import get_args

import pytest
import torch
from torch import Tensor

from dfn.data import load_data
from dfn.design.catalogue import fused
from dfn.design.nodes import Join
from dfn.models.build import build
from dfn.training import precision as precision_module
from dfn.training.fit import Training
from dfn.training.objectives.objective import CrossEntropy
from dfn.training.precision import autocast, choose_precision
from dfn.training.recipe import Recipe
from dfn.training.records import Begin, Done, Step

DESIGN = fused(8, 5, 3, 4, dropout=0.1)


def batch(side: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(8, 3, side, side, generator=generator), torch.randint(10, (8,), generator=generator)


@pytest.mark.parametrize("wanted", ["fp32", "bf16"])
@pytest.mark.parametrize("side", [8, 16])
def test_the_recipe_decides_where_it_says_so(wanted: str, side: int):
    found = choose_precision(build(DESIGN), CrossEntropy(), wanted, *batch(side))
    assert found == (wanted, "as the recipe says")


@pytest.mark.parametrize("side", [4, 8, 13])
def test_small_images_stay_in_fp32_without_a_probe(side: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(precision_module, "_seconds", None)
    found, note = choose_precision(build(DESIGN), CrossEntropy(), "auto", *batch(side))
    assert found == "fp32" and "under 14 pixels" in note


@pytest.mark.parametrize(("ratio", "chosen"), [(1.6, "bf16"), (1.16, "bf16"), (1.1, "fp32"), (0.5, "fp32")])
def test_bf16_only_where_it_pays(ratio: float, chosen: str, monkeypatch: pytest.MonkeyPatch):
    seconds = {"fp32": ratio, "bf16": 1.0}
    monkeypatch.setattr(precision_module, "_seconds", lambda *arguments: seconds[arguments[-1]])
    found, note = choose_precision(build(DESIGN), CrossEntropy(), "auto", *batch(14))
    assert found == chosen
    assert f"{ratio:.2f} times as fast" in note


def test_the_probe_tries_the_net_and_leaves_it_alone():
    net = build(DESIGN)
    before = deepcopy(net.state_dict())
    torch.manual_seed(3)
    random = torch.get_rng_state()
    found, note = choose_precision(net, CrossEntropy(), "auto", *batch(16))
    assert torch.equal(torch.get_rng_state(), random)
    assert found in ("fp32", "bf16") and note.startswith("a step in bf16 was ")
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_autocast_computes_in_bf16_and_keeps_the_weights():
    net, (x, _) = build(DESIGN).eval(), batch(16)
    with torch.no_grad(), autocast("bf16", x.device):
        low = net(x)
    with torch.no_grad(), autocast("fp32", x.device):
        full = net(x)
    assert (low.dtype, full.dtype) == (torch.bfloat16, torch.float32)
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    torch.testing.assert_close(low.float(), full, rtol=0.1, atol=0.1)


@pytest.mark.parametrize("join", get_args(Join))
def test_a_run_in_bf16_says_so_and_learns(join: Join):
    data = load_data("digits", train_limit=64, test_limit=20)
    design = fused(8, 5, 3, 4, join, in_channels=1, dropout=0.1, drop_path=0.1)
    recipe = Recipe(design=design, precision="bf16", epochs=3, batch_size=16, lr=0.05)
    begin, *records, done = Training(recipe, data=data).records()
    assert isinstance(begin, Begin) and begin.precision == "bf16" and isinstance(done, Done)
    losses = [record.loss for record in records if isinstance(record, Step)]
    assert len(losses) == 12 and sum(losses[-4:]) < sum(losses[:4])


def test_a_resumed_run_keeps_its_precision(monkeypatch: pytest.MonkeyPatch):
    data = load_data("digits", size=16, train_limit=32, test_limit=20)
    recipe = Recipe(design=fused(5, 5, 3, 2, in_channels=1), size=16, epochs=1, batch_size=16)
    monkeypatch.setattr(precision_module, "_seconds", lambda *arguments: {"fp32": 2.0, "bf16": 1.0}[arguments[-1]])
    training = Training(recipe, data=data)
    records = training.records()
    while not isinstance(record := next(records), Step):
        assert not isinstance(record, Begin) or record.precision == "bf16"
    state = training.state()
    expected = list(records)[-1]
    monkeypatch.setattr(precision_module, "_seconds", None)  # a second probe could come out differently
    resumed = Training(recipe, data=data)
    resumed.restore(state)
    begin, *_, done = resumed.records()
    assert isinstance(begin, Begin) and (begin.precision, begin.note) == ("bf16", "as before")
    assert isinstance(done, Done) and isinstance(expected, Done)
    assert done.weights_sha256 == expected.weights_sha256
