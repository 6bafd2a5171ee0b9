"""On a CUDA device: the numbers of the CPU within tolerance, bf16, resuming, and no step that waits for the device."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from dfn.data import Batches, Dataset, load_data
from dfn.design.catalogue import fused
from dfn.training.fit import CUDA_FLUSH_EVERY, Training, weights_sha256
from dfn.training.recipe import Recipe
from dfn.training.records import Begin, Done, Epoch, Norms, Step

pytestmark = pytest.mark.gpu

DROPS = fused(8, 5, 3, 8, in_channels=1, dropout=0.2, drop_path=0.2)


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_data("digits", train_limit=480, test_limit=100)


def training(data: Dataset, device: str = "cuda", telemetry: bool = True, **settings: Any) -> Training:
    design = settings.pop("design", fused(14, 8, 6, 8, in_channels=1))
    recipe = Recipe(design=design, **({"epochs": 2, "batch_size": 16, "lr": 0.05} | settings))
    return Training(recipe, data=data, device=device, telemetry=telemetry)


def losses(run: Training) -> list[float]:
    return [record.loss for record in run.records() if isinstance(record, Step)]


@pytest.mark.parametrize("join", ["sum", "mean", "max", "concat", "gate"])
def test_the_first_steps_are_those_of_the_cpu(join: Any, digits: Dataset):
    design = fused(14, 8, 6, 8, join, in_channels=1)
    on_gpu, on_cpu = (losses(training(digits, device, design=design, epochs=1)) for device in ("cuda", "cpu"))
    assert on_gpu[0] == pytest.approx(on_cpu[0], rel=1e-2)
    assert on_gpu[:3] == pytest.approx(on_cpu[:3], rel=0.1)
    assert len(on_gpu) == len(on_cpu) == 30


def test_a_run_on_a_gpu_says_everything_that_one_on_a_cpu_says(digits: Dataset):
    def kinds(device: str) -> list[tuple[str, int]]:
        records = list(training(digits, device).records())
        return sorted((type(record).__name__, getattr(record, "step", 0)) for record in records)

    assert kinds("cuda") == kinds("cpu")
    begin, *_, last, done = training(digits).records()
    assert isinstance(begin, Begin) and begin.device.startswith("cuda")
    assert isinstance(last, Epoch) and isinstance(done, Done)
    assert last.confusion is not None and sum(map(sum, last.confusion)) == 100


def test_bf16_learns(digits: Dataset):
    if not torch.cuda.is_bf16_supported():
        pytest.skip("this GPU has no bf16")
    run = training(digits, precision="bf16")
    found = losses(run)
    assert run.precision == "bf16"
    assert sum(found[-10:]) < sum(found[:10])
    assert {p.dtype for p in run.net.parameters()} == {torch.float32}


def test_the_layout_is_channels_last(digits: Dataset):
    run = training(digits)
    losses(run)
    stem = run.net.get_submodule("body.fusion3.branches.deep.conv1.conv")
    assert isinstance(stem.weight, Tensor) and stem.weight.is_contiguous(memory_format=torch.channels_last)


class Watched:
    """Batches that forbid waiting for the device while the steps between two flushes run."""

    def __init__(self, batches: Batches):
        self.batches = batches
        self.batch_size, self.steps_per_epoch = batches.batch_size, batches.steps_per_epoch
        self.watched = 0

    def epoch(self, epoch: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        try:
            for number, batch in enumerate(self.batches.epoch(epoch, start)):
                inside = 2 <= number % CUDA_FLUSH_EVERY < CUDA_FLUSH_EVERY - 1 and number > CUDA_FLUSH_EVERY
                torch.cuda.set_sync_debug_mode("error" if inside else "default")
                self.watched += inside
                yield batch
        finally:
            torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("design", [fused(14, 8, 6, 8, in_channels=1), DROPS], ids=["plain", "drops"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_no_step_waits_for_the_device(design: Any, precision: str, digits: Dataset):
    run = training(digits, design=design, precision=precision, augment=True, telemetry=False)
    watched = Watched(run.batches)
    run.batches = watched  # pyright: ignore[reportAttributeAccessIssue]
    assert len(losses(run)) == 60
    assert watched.watched >= 20


def test_resume_on_a_gpu(digits: Dataset):
    run = training(digits, design=DROPS)
    records = run.records()
    while not (isinstance(record := next(records), Step) and record.step == 30):
        pass
    state, weights = run.state(), weights_sha256(run.net)
    rest = [record for record in records if isinstance(record, Step)]
    resumed = training(digits, design=DROPS)
    resumed.restore(state)
    assert weights_sha256(resumed.net) == weights
    for name, parameter in resumed.net.named_parameters():
        buffer = resumed.descent.velocity[name]
        assert buffer.device == parameter.device and buffer.stride() == parameter.stride()
    again = [record for record in resumed.records() if isinstance(record, Step)]
    assert [step.step for step in again] == [step.step for step in rest] == list(range(31, 61))
    assert again[0].loss == pytest.approx(rest[0].loss, rel=1e-2)


def test_a_run_may_move_between_devices(digits: Dataset):
    run = training(digits, "cpu")
    records = run.records()
    while not (isinstance(record := next(records), Step) and record.step == 7):
        pass
    resumed = training(digits, "cuda")
    resumed.restore(run.state())
    expected = next(record for record in records if isinstance(record, Step))
    found = next(record for record in resumed.records() if isinstance(record, Step))
    assert (found.step, found.lr) == (expected.step, expected.lr)
    assert found.loss == pytest.approx(expected.loss, rel=2e-2)


# Whole steps as CUDA graphs


def eager(run: Training) -> Training:
    """The same training, kernel by kernel."""
    run._capture = lambda: ""
    return run


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_captured_step_is_the_eager_step(precision: str, digits: Dataset):
    captured, plain = (training(digits, precision=precision, augment=True) for _ in range(2))
    found, expected = losses(captured), losses(eager(plain))
    assert captured.captured and captured.captured.graph and not plain.captured
    tolerance = 1e-3 if precision == "fp32" else 2e-2
    assert found[0] == pytest.approx(expected[0], rel=tolerance)
    assert found[:5] == pytest.approx(expected[:5], rel=10 * tolerance)
    assert len(found) == len(expected) == 60


def test_capturing_leaves_the_net_as_it_was(digits: Dataset):
    run = training(digits, weight_decay=0.1)
    before = weights_sha256(run.net)
    begin = next(run.records())
    assert isinstance(begin, Begin) and begin.note.endswith("every step is one CUDA graph")
    assert weights_sha256(run.net) == before
    assert all(not velocity.any() for velocity in run.descent.velocity.values())


def test_telemetry_of_captured_steps(digits: Dataset):
    run, plain = training(digits), eager(training(digits))
    norms, expected = ([r for r in t.records() if isinstance(r, Norms)] for t in (run, plain))
    assert [n.step for n in norms] == [n.step for n in expected] == list(range(1, 61, 10))
    assert norms[0].gradient == pytest.approx(expected[0].gradient, rel=1e-2)
    assert norms[0].update == pytest.approx(expected[0].update, rel=1e-2)


def test_what_draws_is_not_captured(digits: Dataset):
    run = training(digits, design=DROPS, epochs=0)
    begin = next(run.records())
    assert isinstance(begin, Begin) and "graph" not in begin.note
