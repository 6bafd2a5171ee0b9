"""Two processes under torchrun, on the CPU, against one process: the same run up to rounding."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from runs_nursery import curve, tiny
from safetensors.torch import load_file
from torch import nn

import dfn
from dfn.runs.store import Run, Store
from dfn.runs.worker import work
from dfn.training.distributed import Ranks, SharedNorm, _share_norms
from dfn.training.fit import Training
from dfn.training.recipe import Recipe, RecipeError

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "dfn"]


def together(root: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command of the shell in two processes."""
    environment = os.environ | {"DFN_RUNS": str(root), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run([*TORCHRUN, *command], env=environment, capture_output=True, text=True, timeout=240)


def options(recipe: Recipe) -> list[str]:
    """The command line that gives this recipe."""
    given = {"deep": 8, "shallow": 5, "fusions": 3, "width": 4, "epochs": recipe.epochs, "seed": recipe.seed}
    given |= {"batch-size": recipe.batch_size, "train-limit": recipe.train_limit, "test-limit": recipe.test_limit}
    return [text for name, value in given.items() for text in (f"--{name}", str(value))]


def numbers(run: Run) -> list[tuple[str, int, float]]:
    """What was measured at every step and every epoch."""
    figure = {"step": "loss", "epoch": "test_loss"}
    return [(r["event"], r["step"], r[figure[r["event"]]]) for r in curve(run) if r["event"] in figure]


@pytest.mark.slow
def test_two_ranks_are_one_process_with_the_double_batch(tmp_path: Path) -> None:
    recipe = tiny(seed=3)
    alone = Store(tmp_path / "alone").create(recipe)
    work([alone])
    said = together(tmp_path / "two", "train", *options(recipe), "--json")
    assert said.returncode == 0, said.stderr
    lines = [json.loads(line) for line in said.stdout.splitlines()]
    assert [line["event"] for line in lines].count("done") == 1 and lines[-1]["run"] == recipe.id
    (run,) = Store(tmp_path / "two").runs()
    assert run.status().state == "done" and run.recipe == recipe
    for (event, step, found), (kind, number, expected) in zip(numbers(run), numbers(alone), strict=True):
        assert (event, step) == (kind, number)
        assert found == pytest.approx(expected, rel=1e-3)
    assert run.status().test_accuracy == pytest.approx(alone.status().test_accuracy, abs=0.02)
    weights, reference = (load_file(r.snapshots()[recipe.epochs]) for r in (run, alone))
    for name, tensor in reference.items():
        torch.testing.assert_close(weights[name], tensor, rtol=1e-3, atol=1e-3, msg=name)
    again = together(tmp_path / "two", "train", *options(recipe), "--json")
    assert again.returncode == 0 and json.loads(again.stdout)["weights_sha256"] == lines[-1]["weights_sha256"]


@pytest.mark.slow
def test_two_ranks_go_on_where_one_process_stopped(tmp_path: Path) -> None:
    recipe = tiny(seed=4)
    alone, run = (Store(tmp_path / name).create(recipe) for name in ("alone", "two"))
    work([alone])
    work([run], on_record=lambda run, line: run.command("stop") if line.get("step") == 6 else None)
    assert run.status().state == "stopped" and 6 <= run.status().step < 12
    said = together(tmp_path / "two", "resume", run.id)
    assert said.returncode == 0, said.stderr
    assert run.status().state == "done"
    for (event, step, found), (kind, number, expected) in zip(numbers(run), numbers(alone), strict=True):
        assert (event, step) == (kind, number) and found == pytest.approx(expected, rel=1e-3)


def test_one_process_is_the_plain_case() -> None:
    alone, x = Ranks(), torch.randn(4, 3)
    net = nn.Sequential(nn.BatchNorm2d(3))
    alone.prepare(net, 7)
    alone.go_on()
    alone.end()
    assert type(net[0]) is nn.BatchNorm2d
    assert alone.share(x) is x and alone.total(x) is x and alone.agree({"x": x}, {"n": 1}) == ({"x": x}, {"n": 1})
    assert Training(tiny()).ranks.size == 1


class Two(Ranks):
    """The second of two ranks, as far as no word has to pass between them."""

    def __init__(self) -> None:
        self.rank, self.size = 1, 2


def test_every_rank_has_its_share_of_a_batch_that_can_be_shared() -> None:
    x = torch.arange(8)
    assert Two().share(x).tolist() == [1, 3, 5, 7]
    with pytest.raises(RecipeError, match=r"batch_size: 7 is not accepted; accepted: a multiple of 2"):
        Two().prepare(nn.Sequential(), tiny(batch_size=7))


def test_shared_statistics_of_a_whole_batch_are_those_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one rank the sum over the ranks is the share itself, so the norm must be torch's, gradients included."""
    net = dfn.build(dfn.fused(8, 5, 3, width=4, in_channels=1)).train()
    shared = dfn.build(dfn.fused(8, 5, 3, width=4, in_channels=1)).train()
    _share_norms(shared)
    norms = [m for m in shared.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms and all(isinstance(norm, SharedNorm) for norm in norms)
    monkeypatch.setattr("torch.distributed.all_reduce", lambda tensor: None)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 1)
    x, y = torch.randn(16, 1, 8, 8), torch.randint(10, (16,))

    def gradients(net: nn.Module) -> dict[str, Any]:
        nn.functional.cross_entropy(net(x), y).backward()
        return {name: parameter.grad for name, parameter in net.named_parameters()}

    found, expected = gradients(shared), gradients(net)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-3, atol=1e-4, msg=name)
    torch.testing.assert_close(shared.eval()(x), shared.eval()(x))
