"""Workers as processes of their own: commands reach them, they queue, they outlive whoever started them."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from needs import needs
from runs_nursery import Nursery, curve, tiny, wait_for

import dfn
from dfn.runs import launch, queue, worker
from dfn.runs.locks import holding
from dfn.runs.store import Run, RunError, Status, Store
from dfn.runs.worker import work

LONG = 2000  # epochs: longer than any test waits


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    if not hasattr(os, "fork"):
        pytest.skip("needs fork, by which the nursery makes workers")
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def store(runs_dir: Path, nursery: Nursery, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(launch, "start", nursery.start)
    monkeypatch.setenv("DFN_WORKERS", "2")
    monkeypatch.setenv("DFN_PAUSE_KEEP", "30")
    store = Store()
    yield store
    launch.stop(store.runs())
    wait_for(lambda: not any(run.alive() for run in store.runs()))


def state(run: Run, *wanted: str) -> Status:
    """The status, once the run is in one of these states."""
    wait_for(lambda: run.status().state in wanted)
    return run.status()


@pytest.mark.medium
def test_play_to_the_end(store: Store) -> None:
    run = store.create(tiny())
    launch.play([run])
    assert run.status().state in ("waiting", "running")
    done = state(run, "done", "failed")
    assert done.state == "done" and done.step == 12
    wait_for(lambda: not run.alive())
    foreground = Store(store.root / "foreground").create(tiny())
    work([foreground])
    assert curve(run) == curve(foreground) and done.weights_sha256 == foreground.status().weights_sha256
    assert {file.name for file in run.folder.rglob("*")} == {file.name for file in foreground.folder.rglob("*")} | {
        "log.txt"
    }
    assert run.environment() == foreground.environment()


@pytest.mark.medium
def test_pause_go_on_step_by_step_stop_and_go_on(store: Store) -> None:
    run = store.create(tiny())
    launch.play([run], until="step")
    assert state(run, "paused").step == 1
    launch.play([run], until="step")
    wait_for(lambda: run.status().step == 2 and run.status().state == "paused")
    launch.play([run], until="epoch")
    wait_for(lambda: run.status().step == 4 and run.status().state == "paused")
    assert run.status().epoch == 1 and run.metrics()[-1]["event"] == "epoch" and run.alive()
    launch.stop([run])
    assert state(run, "stopped").step == 4
    wait_for(lambda: not run.alive())
    launch.play([run], until="epoch")  # another worker
    wait_for(lambda: run.status().step == 8 and run.status().state == "paused")
    for _ in range(3):  # quick clicks are counted
        launch.play([run], until="step")
    wait_for(lambda: run.status().step == 11 and run.status().state == "paused")
    launch.play([run], until="epoch")  # the end of the last epoch is the end
    assert state(run, "done").step == 12
    straight = Store(store.root / "straight").create(tiny())
    work([straight])
    assert curve(run) == curve(straight) and run.status().weights_sha256 == straight.status().weights_sha256


@pytest.mark.medium
def test_the_first_epoch_of_a_new_run(store: Store) -> None:
    run = store.create(tiny())
    launch.play([run], until="epoch")
    assert state(run, "paused").epoch == 1 and run.status().steps_per_second is None


@pytest.mark.medium
def test_a_running_worker_tells_how_it_gets_on_and_obeys_at_once(store: Store) -> None:
    run = store.create(tiny(epochs=LONG))
    launch.play([run])
    wait_for(lambda: run.status().steps_per_second)
    assert run.status().state == "running" and run.status().steps == LONG * 4 and run.alive()
    launch.pause([run])
    start = time.monotonic()
    paused = state(run, "paused")
    assert time.monotonic() - start < 2
    time.sleep(0.2)
    assert run.status() == paused and run.latest_checkpoint() == run.checkpoint_file(paused.step)
    assert [r for r in run.metrics() if r["event"] == "step"][-1]["step"] == paused.step
    launch.play([run])
    wait_for(lambda: run.status().step > paused.step)
    with pytest.raises(RunError, match="at work"):
        store.delete(run.id)
    launch.rewind([run])
    assert run.status().state == "new" and run.metrics() == [] and not run.alive()


@pytest.mark.slow
def test_a_paused_worker_leaves_when_nobody_plays_and_when_somebody_waits(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DFN_WORKERS", "1")
    first, second = store.create(tiny(epochs=LONG)), store.create(tiny(seed=1))
    launch.play([first], until="step")
    state(first, "paused")
    launch.play([second])  # there is one slot, and the paused one gives it up
    state(second, "done")
    assert first.status().state == "paused" and not first.alive()
    monkeypatch.setenv("DFN_PAUSE_KEEP", "0.1")
    launch.play([first], until="step")
    wait_for(lambda: first.status().step == 2 and not first.alive())
    assert first.status().state == "paused"
    launch.stop([first])  # nobody has it any more
    assert first.status().state == "stopped"


@pytest.mark.medium
def test_first_come_first_served(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DFN_WORKERS", "1")
    slot = queue.take_slot(store.root / ".queue", 1)
    assert slot and queue.take_slot(store.root / ".queue", 1) is None
    runs = [store.create(tiny(seed)) for seed in range(4)]
    for place, run in enumerate(runs, start=1):
        launch.play([run])
        wait_for(lambda run=run, place=place: run.status().place == place)
        assert run.status().state == "waiting" and run.alive()
    launch.cancel([runs[1]])
    wait_for(lambda: runs[2].status().place == 2 and runs[3].status().place == 3)
    assert state(runs[1], "new").place is None
    launch.pause([runs[3]])
    assert state(runs[3], "paused").step == 0
    launch.play([runs[3]])
    wait_for(lambda: runs[3].status().place == 3)
    slot.release()
    order: list[str] = []
    while len(order) < 3:
        order += [r.id for r in runs if r.status().state in ("running", "done") and r.id not in order]
        time.sleep(0.01)
    assert order == [runs[0].id, runs[2].id, runs[3].id]
    for run in (runs[0], runs[2], runs[3]):
        assert state(run, "done").place is None
    assert runs[1].status().state == "new" and not queue.anybody_waits(store.root / ".queue")


@pytest.mark.slow
def test_as_many_workers_as_there_are_slots(store: Store) -> None:
    runs = [store.create(tiny(seed, epochs=LONG)) for seed in range(3)]
    for run in runs:
        launch.play([run])
    wait_for(lambda: sorted(run.status().state for run in runs) == ["running", "running", "waiting"])
    waiting = next(run for run in runs if run.status().state == "waiting")
    assert wait_for(lambda: waiting.status().place) == 1
    launch.stop([next(run for run in runs if run is not waiting)])
    state(waiting, "running")


def test_those_who_died_in_the_queue_are_passed_over(store: Store) -> None:
    folder = store.root / ".queue"
    tickets = [queue.take_ticket(folder, [name]) for name in ("a", "b", "c")]
    assert queue.places(folder) == {"a": 1, "b": 2, "c": 3}
    tickets[0].lock.release()  # as the operating system does when a process dies
    assert queue.places(folder) == {"b": 1, "c": 2}
    assert tickets[1].is_first() and not tickets[2].is_first()
    last = queue.take_ticket(folder, ["d"])
    assert [file.name for file in sorted(folder.glob("*.json"))] == [f"0000000{n}.json" for n in (2, 3, 4)]
    for ticket in (*tickets[1:], last):
        ticket.give_back()
    assert not queue.anybody_waits(folder) and not list(folder.glob("0*"))


@pytest.mark.slow
def test_runs_of_one_worker_are_commanded_one_by_one(store: Store) -> None:
    first, second, third = (store.create(tiny(seed, epochs=LONG)) for seed in range(3))
    launch.play([first, second])
    wait_for(lambda: first.status().step > 2 and second.status().step > 2)
    launch.pause([first])
    step = state(first, "paused").step
    before = second.status().step
    wait_for(lambda: second.status().step > before + 4)
    assert first.status().step == step
    launch.play([first, third])  # the first has its worker, the third gets one
    wait_for(lambda: first.status().step > step and third.status().step > 2)
    launch.stop([second])
    state(second, "stopped")
    assert first.status().state == "running"


@pytest.mark.medium
def test_commands_that_come_before_the_worker_is_there(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    late: list[list[Run]] = []
    begin = launch.start
    monkeypatch.setattr(launch, "start", lambda runs: late.append(list(runs)))
    run, other = store.create(tiny()), store.create(tiny(seed=1))
    launch.play([run, other])
    launch.play([run])  # a double click
    assert len(late) == 1 and run.status().state == "waiting"
    launch.stop([run])
    assert run.status().state == "new"
    begin(late[0])
    state(other, "done")
    assert run.status().state == "new" and run.metrics() == []


def test_a_command_that_comes_while_the_worker_lets_go_starts_another(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(tiny())
    started: list[Run] = []
    monkeypatch.setattr(launch, "start", started.extend)
    with holding(run.lock_file):
        launch.play([run])  # somebody has it: it is told, and nobody is started
        assert not started
    claim = worker._claim(run)
    assert claim
    claim.let_go()
    assert not started  # there is nothing new
    claim = worker._claim(run)
    assert claim
    run.command("run")
    claim.let_go()
    assert started == [run] and run.status().state == "waiting"


@pytest.mark.slow
def test_two_workers_for_one_run(store: Store, nursery: Nursery) -> None:
    run = store.create(tiny(epochs=LONG))
    launch.play([run])
    wait_for(lambda: run.status().step > 0)
    assert not nursery.finish([run])  # leaves at once
    assert run.status().state == "running"


@pytest.mark.medium
def test_a_run_that_cannot_be_found_is_one_line_in_the_log(store: Store, nursery: Nursery) -> None:
    run, other = store.create(tiny()), store.create(tiny(seed=1))
    run.recipe_file.write_bytes(b"{")
    assert not nursery.finish([run, other])
    assert other.status().state == "done"
    assert run.log().startswith(f"run {run.id}: its recipe cannot be read") and "Traceback" not in run.log()


def test_worker_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DFN_WORKERS", raising=False)
    for cores, workers in ((1, 1), (2, 1), (4, 1), (8, 2), (16, 4)):
        monkeypatch.setattr(launch, "spare_cores", lambda cores=cores: max(1, cores - 1))
        assert launch.worker_limit() == workers
    monkeypatch.setenv("DFN_WORKERS", "3")
    assert launch.worker_limit() == 3
    for wrong in ("0", "-1", "many", "1.5"):
        monkeypatch.setenv("DFN_WORKERS", wrong)
        with pytest.raises(RunError, match="DFN_WORKERS"):
            launch.worker_limit()


def test_a_worker_that_cannot_be_started(runs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Store().create(tiny())
    monkeypatch.setattr(sys, "executable", str(runs_dir / "nowhere"))
    with pytest.raises(RunError, match="no worker could be started"):
        launch.play([run])
    assert run.status().state == "failed" and "No worker" in run.status().message


@pytest.mark.medium
@needs(hasattr(os, "killpg"), "groups of processes")
def test_a_detached_worker_outlives_its_parent_and_is_interrupted_by_a_kill(
    runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Store().create(tiny(epochs=LONG))
    program = (
        "import os, signal, sys; from dfn.runs import launch; from dfn.runs.store import Store;"
        "launch.play(Store().runs()); assert 'torch' not in sys.modules; os.killpg(0, signal.SIGKILL)"
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    parent = subprocess.run([sys.executable, "-c", program], start_new_session=True, check=False)
    assert parent.returncode == -9
    wait_for(lambda: run.status().step > 3)
    process = next(p for p in psutil.process_iter() if run.id in _arguments(p))
    assert process.cwd() == str(runs_dir) and process.nice() == 5
    assert process.environ()["OMP_WAIT_POLICY"] == "PASSIVE"
    process.kill()
    assert state(run, "interrupted").message.endswith("from its last checkpoint.")
    launch.stop([run])
    assert run.status().state == "stopped"


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.medium
def test_a_student_waits_while_another_worker_trains_its_teacher(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One slot: the student has it first, gives it to the teacher, and is trained in the end without a word."""
    monkeypatch.setenv("DFN_WORKERS", "1")
    first, teacher = (store.create(tiny(seed, epochs=LONG if seed else 5)) for seed in (1, 0))
    design = dfn.fused(11, 5, 3, width=6, in_channels=1)
    student = store.create(tiny(design=design, start="net2net", teacher=teacher.id))
    launch.play([first])
    state(first, "running")
    launch.play([student])  # it stands in front of its teacher
    state(student, "waiting")
    launch.play([teacher])
    state(teacher, "waiting")
    launch.stop([first])
    assert state(student, "done", "failed", "interrupted").state == "done"
    assert teacher.status().state == "done"


@pytest.mark.medium
def test_a_student_that_waits_hears_commands(store: Store) -> None:
    teacher = store.create(tiny(epochs=LONG))
    student = store.create(tiny(1, objective="distillation", teacher=teacher.id))
    launch.play([teacher])
    state(teacher, "running")
    launch.play([student])
    wait_for(lambda: "It waits for run" in student.status().message)
    assert student.alive()
    launch.stop([student])
    assert state(student, "new", "stopped").step == 0
