"""What training leaves in a run's folder, and how it ends when something is in its way; all in this process."""

import errno
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from runs_nursery import curve, tiny, wait_for
from safetensors.torch import load_file

import dfn
from dfn.runs import checkpoints, files, launch, racer
from dfn.runs import run as run_module
from dfn.runs.locks import holding
from dfn.runs.run import Run
from dfn.runs.store import RunError, Store
from dfn.runs.worker import work
from dfn.training.fit import Training, weights_sha256
from dfn.training.recipe import Recipe


@pytest.fixture
def store(runs_dir: Path) -> Store:
    return Store()


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny run, trained without any trouble."""
    run = Store(tmp_path_factory.mktemp("reference")).create(tiny())
    work([run])
    return run


@pytest.fixture(autouse=True)
def no_other_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever works in the foreground starts nobody else."""
    monkeypatch.setattr(launch, "start", lambda runs: pytest.fail(f"a worker was started for {runs}"))


def diverging(**settings: Any) -> Recipe:
    design = dfn.fused(8, 5, 3, width=4, in_channels=1).model_copy(update={"norm": "none"})
    return tiny(design=design, lr=1000.0, warmup=0.0, **settings)


def test_a_whole_run(store: Store) -> None:
    run, seen = store.create(tiny()), []
    work([run], on_record=lambda its, line: seen.append((its.id, line["event"])))
    status = run.status()
    assert (status.state, status.step, status.steps, status.epoch, status.epochs) == ("done", 12, 12, 3, 3)
    assert status.message == "" and status.place is None and status.seconds > 0
    records = run.metrics()
    events = [record["event"] for record in records]
    assert seen == [(run.id, event) for event in events]
    assert events[:2] == ["begin", "epoch"] and events[-2:] == ["epoch", "done"]
    assert [r["step"] for r in records if r["event"] == "step"] == list(range(1, 13))
    assert status.weights_sha256 == records[-1]["weights_sha256"]
    assert status.test_accuracy == records[-1]["test_accuracy"] and status.train_loss == records[-1]["train_loss"]
    assert list(run.snapshots()) == [0, 1, 2, 3] and len(run.checkpoint_files()) == 2
    assert status.disk_bytes == run.disk_bytes() > 0
    net = dfn.build(run.recipe.design)
    net.load_state_dict(load_file(run.snapshots()[3]))
    assert weights_sha256(net) == status.weights_sha256
    environment = run.environment()
    assert environment["precision"] == "fp32" and environment["threads"] == 1 and environment["precision_note"]
    assert "training from step 0 of 12" in run.log()
    assert not [file for file in run.folder.rglob(".*")] and not run.alive()


def test_the_same_recipe_again_is_done_already(store: Store) -> None:
    run = store.create(tiny())
    work([run])
    before, seen = run.status(), []
    work([store.create(tiny())], on_record=lambda *record: seen.append(record))
    launch.play([run])
    assert not seen and run.status() == before


def test_a_run_without_epochs(store: Store) -> None:
    run = store.create(tiny(epochs=0))
    work([run])
    assert run.status().state == "done" and [r["event"] for r in run.metrics()] == ["begin", "epoch", "done"]
    assert list(run.snapshots()) == [0]


@pytest.mark.medium
def test_a_race_gives_each_what_it_gets_alone(store: Store, tmp_path: Path) -> None:
    recipes = [tiny(), tiny(seed=1), tiny(design=dfn.fused(14, 5, 3, width=4, in_channels=1), batch_size=48)]
    together, order = [store.create(recipe) for recipe in recipes], []
    work(together, on_record=lambda run, line: order.append(run.id) if line["event"] == "step" else None)
    assert order[:6] == [run.id for run in together] * 2  # in turns
    other = Store(tmp_path / "alone")
    for run in together:
        alone = other.create(run.recipe)
        work([alone])
        assert alone.status().weights_sha256 == run.status().weights_sha256
        assert curve(alone) == curve(run)


@pytest.mark.medium
def test_rewound_and_played_again_gives_the_same(store: Store, reference: Run) -> None:
    run = store.create(tiny())
    work([run])
    environment = run.environment()
    launch.rewind([run])
    assert run.status().state == "new" and run.metrics() == [] and run.snapshots() == {}
    assert run.latest_checkpoint() is None and not run.disk_bytes()
    work([run])
    assert curve(run) == curve(reference) and run.environment() == environment
    assert run.status().weights_sha256 == reference.status().weights_sha256


@pytest.mark.medium
def test_the_precision_of_the_first_time_is_used_again(store: Store) -> None:
    run = store.create(tiny())
    run.write_environment({"precision": "bf16", "precision_note": "it was faster", "threads": 1})
    work([run])
    assert run.metrics()[0]["precision"] == "bf16" and run.metrics()[0]["note"] == "it was faster"
    assert run.environment()["precision"] == "bf16"


@pytest.mark.medium
def test_a_long_run_keeps_some_epochs_and_a_small_budget_fewer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    small: dict[str, Any] = {"train_limit": 32, "test_limit": 10}
    monkeypatch.setattr(racer, "MOST_KEPT", 4)
    run = store.create(tiny(epochs=9, **small))
    work([run])
    assert list(run.snapshots()) == [0, 3, 6, 9]
    size = run.snapshots()[0].stat().st_size
    monkeypatch.setenv("DFN_SNAPSHOT_MB", str(2 * size / 1e6))
    run = store.create(tiny(epochs=8, **small))
    work([run])
    assert list(run.snapshots()) == [0, 8]


@pytest.mark.medium
def test_a_loss_that_leaves_the_numbers_ends_the_run_and_keeps_the_last_good_state(store: Store) -> None:
    run, good = store.create(diverging()), store.create(tiny())
    work([run, good])
    status = run.status()
    assert status.state == "failed" and "learning rate" in status.message and "nan" in status.message
    assert run.metrics()[-1]["event"] == "diverged" and "NaN" not in run.metrics_file.read_text()
    state, _ = checkpoints.read_checkpoint(run, run.checkpoint_files()[0])
    assert checkpoints.is_finite(state) and run.snapshots()
    assert good.status().state == "done"  # it raced on
    before = curve(run)
    work([run])
    assert run.status().state == "failed" and curve(run) == before


def test_data_that_do_not_fit_are_one_sentence(store: Store) -> None:
    run = store.create(tiny(design=dfn.fused(8, 5, 3, width=4, in_channels=3)))
    work([run])
    assert run.status().state == "failed" and run.status().message.startswith("design.in_channels: 3 ")
    run = store.create(tiny(data="folder:/nowhere"))
    work([run])
    assert run.status().state == "failed" and "nowhere" in run.status().message


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.medium
@pytest.mark.parametrize(
    ("module", "name"), [(Run, "append_records"), (checkpoints, "write_whole"), (run_module, "write_whole")]
)
def test_a_full_disk_ends_the_run_which_can_go_on_later(
    store: Store, reference: Run, module: Any, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(tiny())
    steps = 0

    def fill_the_disk(_: Run, line: dict[str, Any]) -> None:
        nonlocal steps
        steps += line["event"] == "step"
        if steps == 6:
            monkeypatch.setattr(module, name, full_disk)

    if module is run_module:  # not even the status can be written
        with pytest.raises(RunError, match=f"run {run.id}: The disk is full"):
            work([run], on_record=fill_the_disk)
    else:
        work([run], on_record=fill_the_disk)
        assert run.status().state == "failed" and run.status().message.startswith("The disk is full. Free some space")
    assert "Traceback" in run.log() and not run.alive()
    monkeypatch.undo()
    work([run])
    assert run.status().state == "done" and curve(run) == curve(reference)
    assert run.status().weights_sha256 == reference.status().weights_sha256


def test_a_disk_that_fills_up_in_the_middle_of_a_line(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(tiny())

    class NearlyFull:
        def __init__(self, *_: Any, **__: Any):
            self.left = 3

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: Any) -> None: ...

        def write(self, data: bytes) -> int:
            if not self.left:
                full_disk()
            self.left, taken = 0, self.left
            return taken

    monkeypatch.setattr(run_module, "open", NearlyFull, raising=False)
    with pytest.raises(OSError, match="No space"):
        run.append_records([{"event": "step"}])


@pytest.mark.medium
def test_a_vanished_folder_ends_the_run_with_one_sentence(store: Store) -> None:
    run, good = store.create(tiny()), store.create(tiny(seed=1))

    def remove(its: Run, line: dict[str, Any]) -> None:
        if its is run and line.get("step") == 3:
            shutil.rmtree(run.folder)

    with pytest.raises(RunError, match="The folder of this run has vanished"):
        work([run, good], on_record=remove)
    assert not run.folder.exists() and good.status().state == "done"


@pytest.mark.medium
def test_whatever_else_fails_ends_its_run_only(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run, good = store.create(tiny()), store.create(tiny(seed=1))

    def fail(its: Run, line: dict[str, Any]) -> None:
        if its is run and line.get("step") == 3:
            raise ZeroDivisionError("of all things\nand more")

    work([run, good], on_record=fail)
    assert run.status().state == "failed" and "ZeroDivisionError: of all things. The log" in run.status().message
    assert "Traceback" in run.log() and good.status().state == "done"


def test_an_interrupt_from_the_keyboard_leaves_a_run_that_goes_on(store: Store, reference: Run) -> None:
    run = store.create(tiny())

    def interrupt(_: Run, line: dict[str, Any]) -> None:
        if line.get("step") == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work([run], on_record=interrupt)
    assert run.status().state == "stopped" and "keyboard" in run.status().message and not run.alive()
    work([run])
    assert run.status().state == "done" and curve(run) == curve(reference)


def damage_newest(run: Run) -> None:
    file = run.checkpoint_files()[0]
    file.write_bytes(file.read_bytes()[:-100])


def damage_all(run: Run) -> None:
    for file in run.checkpoint_files():
        file.write_bytes(b"\x00" * 64)


def damage_header(run: Run) -> None:
    file = run.checkpoint_files()[0]
    file.write_bytes(file.read_bytes().replace(b"metrics_bytes", b"metrics_bites"))


def lose_metrics(run: Run) -> None:
    run.cut_metrics(run.metrics_file.stat().st_size // 2)


def lose_all_metrics(run: Run) -> None:
    run.metrics_file.unlink()


def other_weights(run: Run) -> None:
    other = Training(tiny(design=dfn.fused(8, 5, 3, width=8, in_channels=1)))
    next(other.records())
    state = other.state()
    state.numbers["step"] = 99
    checkpoints.write_checkpoint(run, state)


@pytest.mark.medium
@pytest.mark.parametrize(
    "damage", [damage_newest, damage_all, damage_header, lose_metrics, lose_all_metrics, other_weights]
)
def test_damaged_checkpoints_give_way_to_older_ones(store: Store, reference: Run, damage: Any) -> None:
    run = store.create(tiny())

    def interrupt(_: Run, line: dict[str, Any]) -> None:
        if line.get("step") == 11:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work([run], on_record=interrupt)
    damage(run)
    work([run])
    assert "damaged" in run.log()
    assert run.status().state == "done" and curve(run) == curve(reference)
    assert run.status().weights_sha256 == reference.status().weights_sha256


def test_a_run_that_somebody_else_trains_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dfn.runs.worker.CLAIM_SECONDS", 0.05)
    run = store.create(tiny())
    with holding(run.lock_file), pytest.raises(RunError, match="another worker"):
        work([run])
    work([run])
    assert run.status().state == "done"


def test_a_run_in_the_foreground_obeys_as_well(store: Store) -> None:
    run = store.create(tiny(epochs=400))
    thread = threading.Thread(target=work, args=([run],))
    thread.start()
    wait_for(lambda: run.status().step > 3)
    launch.pause([run])
    wait_for(lambda: run.status().state == "paused")
    step = run.status().step
    launch.play([run], until="step")
    wait_for(lambda: run.status().step == step + 1 and run.status().state == "paused")
    launch.stop([run])
    thread.join(timeout=30)
    assert not thread.is_alive() and run.status().state == "stopped" and not run.alive()


def test_files_are_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    files.write_whole(path, b"old", durable=True)
    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space"):
        files.write_whole(path, b"new")
    assert path.read_bytes() == b"old" and [file.name for file in tmp_path.iterdir()] == ["file"]
