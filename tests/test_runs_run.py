"""One run's folder: records, status, commands, log, snapshots, and what is exported of them."""

import csv as csv_module
import io
import json
import shutil
import time
import zipfile
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pytest
from runs_nursery import STEP, steps, tiny

from dfn.runs.locks import holding
from dfn.runs.run import LOG_TAIL
from dfn.runs.store import RunError, Status, Store, csv, kept_epochs


@pytest.fixture
def store(runs_dir: Path) -> Store:
    return Store()


def test_records_come_line_by_line_and_a_torn_one_later(store: Store) -> None:
    run = store.create(tiny())
    assert run.records() == ([], 0)
    run.append_records(steps(1, 2))
    records, offset = run.records()
    assert records == steps(1, 2)
    with open(run.metrics_file, "ab") as file:
        file.write(b'{"event":"step","st')
    assert run.records(offset) == ([], offset)
    with open(run.metrics_file, "ab") as file:
        file.write(b'ep":3}\n')
    records, offset = run.records(offset)
    assert records == [{"event": "step", "step": 3}]
    assert run.records(offset) == ([], offset)


def test_a_reader_notices_that_a_run_began_again(store: Store) -> None:
    run = store.create(tiny())
    run.append_records(steps(1, 2, 3))
    _, offset = run.records()
    run.cut_metrics(0)
    run.append_records(steps(1))
    records, shorter = run.records(offset)
    assert records == steps(1) and shorter < offset
    # the file has grown beyond the old offset meanwhile, but no line ends there
    run.cut_metrics(0)
    run.append_records([STEP | {"step": 1, "loss": 2.25}, *steps(2, 3, 4, 5)])
    assert run.records(offset) == ([], 0)
    run.forget()
    assert run.records(offset) == ([], 0)


@pytest.mark.parametrize("line", [b"nonsense", b"[1]", b'{"step": 1}', b'{"event": 3}', b"[" * 100_000, b"\xff", b""])
def test_a_line_that_is_no_record_is_left_out(store: Store, line: bytes) -> None:
    run = store.create(tiny())
    run.append_records(steps(1))
    with open(run.metrics_file, "ab") as file:
        file.write(line + b"\n")
    run.append_records(steps(2))
    assert run.metrics() == steps(1, 2)


def test_what_is_no_number_is_written_as_null(store: Store) -> None:
    run = store.create(tiny())
    nan, inf = float("nan"), float("inf")
    run.append_records([STEP | {"loss": nan, "maps": {"stem": (inf, 1.0, -inf)}}])
    assert "NaN" not in run.metrics_file.read_text()
    assert run.metrics() == [STEP | {"loss": None, "maps": {"stem": [None, 1.0, None]}}]
    run.write_status(Status("done", train_loss=nan))
    assert run.status().train_loss is None


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"state": "flying"}', b'{"state": "done", "step": "many"}', b"[" * 99_999]
)
def test_a_status_that_cannot_be_read_is_told_from_what_is_there(store: Store, text: bytes) -> None:
    run = store.create(tiny())
    run.status_file.write_bytes(text)
    assert run.status() == Status("new", epochs=3)
    run.prepare_folders()
    run.checkpoint_file(4).write_bytes(b"")
    assert run.status().state == "interrupted"
    assert store.runs()[0].status().state == "interrupted"


def test_the_status_of_a_vanished_run_says_so(store: Store) -> None:
    run = store.create(tiny())
    shutil.rmtree(run.folder)
    assert run.status().state == "failed" and run.id in run.status().message
    with pytest.raises(RunError, match="takes no command"):
        run.command("pause")


def test_liveness_is_told_by_the_lock(store: Store) -> None:
    run = store.create(tiny())
    run.write_status(Status("running", step=7, steps_per_second=3.0))
    assert run.status().state == "interrupted" and "Press Play" in run.status().message
    assert run.status().step == 7 and run.status().steps_per_second is None
    with holding(run.lock_file):
        assert run.status().state == "running"
    for state in ("paused", "done", "stopped", "failed"):
        run.write_status(Status(state))
        assert run.status().state == state


def test_a_started_worker_may_take_a_while_to_appear(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create(tiny())
    run.write_status(Status("waiting"))
    assert run.status().state == "waiting"
    now = time.time()
    for moved in (60, -60):  # it never came; or the clock was put back
        monkeypatch.setattr(time, "time", lambda moved=moved: now + moved)
        assert run.status().state == "interrupted"


@pytest.mark.parametrize("text", [b"", b"[]", b'{"mode": "fly"}', b'{"mode": "run", "until": "soon"}'])
def test_a_command_that_cannot_be_read_is_none(store: Store, text: bytes) -> None:
    run = store.create(tiny())
    run.control_file.write_bytes(text)
    assert asdict(run.control()) == {"serial": 0, "mode": "run", "until": None}
    run.command("pause")
    run.command("run", 7)
    assert asdict(run.control()) == {"serial": 2, "mode": "run", "until": 7}


def test_only_the_end_of_a_long_log_is_read(store: Store) -> None:
    run = store.create(tiny())
    run.append_log("x" * 2 * LOG_TAIL + "the end\n")
    assert len(run.log()) == LOG_TAIL and run.log().endswith("the end\n")


def test_snapshots_are_found_by_epoch(store: Store) -> None:
    run = store.create(tiny())
    run.prepare_folders()
    for name in (
        "epoch-0010.safetensors",
        "epoch-0002.safetensors",
        "epoch-x.safetensors",
        ".epoch-0001.safetensors.1.part",
    ):
        (run.folder / "snapshots" / name).write_bytes(b"12345")
    run.checkpoint_file(8).write_bytes(b"123")
    assert list(run.snapshots()) == [2, 10] and run.snapshots()[10] == run.snapshot_file(10)
    assert run.disk_bytes() == 3 * 5 + 3
    assert run.latest_checkpoint() == run.checkpoint_file(8)
    run.prepare_folders()  # clears away what was half-written
    assert not list(run.folder.glob("*/.*"))


@pytest.mark.parametrize("epochs", [0, 1, 2, 3, 49, 50, 51, 99, 400, 10_000])
@pytest.mark.parametrize("most", [0, 1, 2, 3, 51])
def test_kept_epochs(epochs: int, most: int) -> None:
    kept = kept_epochs(epochs, most)
    assert kept == sorted(set(kept)) and len(kept) == min(most, epochs + 1)
    if most >= 2:
        gaps = {b - a for a, b in pairwise(kept)}
        assert kept[0] == 0 and kept[-1] == epochs and (not gaps or max(gaps) - min(gaps) <= 1)
    assert kept_epochs(50) == list(range(51)) and len(kept_epochs(400)) == 51


def test_csv(store: Store) -> None:
    first, second = store.create(tiny()), store.create(tiny(seed=1))
    first.rename("=SUM(A1)")
    epoch = {"event": "epoch", "epoch": 1, "step": 4, "test_accuracy": 0.5, "maps": {"stem": [1, 2, 3]}}
    first.append_records([{"event": "begin"}, *steps(1), epoch])
    second.append_records(steps(1))
    rows = list(csv_module.DictReader(io.StringIO(csv([first, second]))))
    assert [(row["run"], row["event"], row["step"]) for row in rows] == [
        (first.id, "step", "1"),
        (first.id, "epoch", "4"),
        (second.id, "step", "1"),
    ]
    assert rows[0]["name"] == "'=SUM(A1)" and rows[0]["loss"] == "2.3" and rows[1]["test_accuracy"] == "0.5"
    assert csv(second).splitlines()[1:] == [line for line in csv([first, second]).splitlines() if second.id in line]


def test_export(store: Store, tmp_path: Path) -> None:
    run = store.create(tiny())
    run.prepare_folders()
    run.append_records(steps(1))
    run.snapshot_file(3).write_bytes(b"weights")
    run.write_status(Status("done", step=12))
    run.export(tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as archive:
        assert archive.testzip() is None
        files = {name.removeprefix(f"{run.id}/"): archive.read(name) for name in archive.namelist()}
    assert files["snapshots/epoch-0003.safetensors"] == b"weights"
    assert json.loads(files["status.json"])["step"] == 12 and json.loads(files["metrics.jsonl"]) == STEP
    assert files["recipe.json"] == run.recipe_file.read_bytes() and "environment.json" in files
