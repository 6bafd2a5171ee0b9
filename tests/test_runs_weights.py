"""The net that a run had after an epoch is the one that it kept, and what was not kept is refused in words."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from dfn.runs.run import Run, RunError
from dfn.runs.store import Store
from dfn.runs.weights import data_of, net_after

RECORDED = Path(__file__).parents[1] / "assets" / "recorded"


@pytest.fixture
def run(runs_dir) -> Run:
    recorded = next(run for run in Store(RECORDED).runs() if run.recipe.net == "fused")
    shutil.copytree(recorded.folder, runs_dir / recorded.id)
    return Store().get(recorded.id)


def test_weights_are_those_that_were_kept(run):
    for epoch in (0, 5, None):
        net, kept = net_after(run, epoch), load_file(run.snapshot_file(5 if epoch is None else epoch))
        assert all(value.equal(kept[name]) for name, value in net.state_dict().items())
        assert not net.training and not any(parameter.requires_grad for parameter in net.parameters())
    assert data_of(run).name == "digits"


@pytest.mark.parametrize("epoch", [-1, 99, "5"])
def test_an_epoch_that_was_not_kept_is_refused(run, epoch):
    with pytest.raises(RunError, match=r"epoch: .* accepted: one that was kept, 0, 1, 2"):
        net_after(run, epoch)


def test_weights_that_are_damaged_or_gone_are_named(run):
    run.snapshot_file(5).write_bytes(b"\0" * 50)
    with pytest.raises(RunError, match=r"epoch-0005\.safetensors cannot be read"):
        net_after(run)
    shutil.rmtree(run.snapshot_file(5).parent)
    with pytest.raises(RunError, match="has kept no weights"):
        net_after(run)
