"""The run store as a folder: what is found, what is refused, and that nothing in it can make the list fail."""

import csv as csv_module
import io
import json
import os
import shutil
import time
import zipfile
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from runs_nursery import tiny

import dfn
from dfn.runs import index
from dfn.runs.locks import holding
from dfn.runs.run import LOG_TAIL
from dfn.runs.store import Run, RunError, Status, Store, csv, kept_epochs, runs_root
from dfn.training.recipe import to_data

STEP = {"event": "step", "step": 1, "loss": 2.3, "accuracy": 0.1, "lr": 0.02}


@pytest.fixture
def store(runs_dir: Path) -> Store:
    return Store()


def steps(*numbers: int) -> list[dict[str, Any]]:
    return [STEP | {"step": number} for number in numbers]


def test_the_root_is_dfn_runs_or_runs_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DFN_RUNS", str(tmp_path))
    assert runs_root() == tmp_path
    monkeypatch.delenv("DFN_RUNS")
    monkeypatch.chdir(tmp_path)
    assert runs_root() == tmp_path / "runs"
    assert Store().runs() == []  # a store that is not there yet is an empty one


def test_the_same_recipe_is_the_same_run(store: Store) -> None:
    run = store.create(tiny())
    run.append_records(steps(1))
    again = store.create(tiny())
    assert (again.id, again.metrics()) == (tiny().id, steps(1))
    assert again.recipe == tiny() and store.get(run.id).recipe == tiny()
    assert store.create(tiny(seed=1)).id != run.id
    assert run.status() == Status("new", epochs=3)
    assert not run.alive() and run.snapshots() == {} and run.latest_checkpoint() is None
    assert run.log() == "" and run.environment() == {}


@pytest.mark.parametrize(
    "id", ["", "abc", "../..", "ABCDEF", "0" * 13, "0123456789ag", "/etc/passwd", "....", "0000\n"]
)
def test_an_id_that_is_none_is_refused_before_it_touches_a_path(store: Store, id: str) -> None:
    store.create(tiny())
    for act in (store.get, store.delete, store.restore):
        with pytest.raises(RunError, match="not accepted"):
            act(id)


def test_runs_are_found_by_the_beginning_of_their_id(store: Store) -> None:
    runs = [store.create(tiny(seed)) for seed in range(5)]
    for run in runs:
        assert store.get(run.id[:6]).id == run.id
    with pytest.raises(RunError, match="ffffffffffff: there is no such run"):
        store.get("ffffffffffff")
    for number in (0, 1):
        (store.root / f"ffff{number:08x}").mkdir()
    with pytest.raises(RunError, match="2 runs begin so"):
        store.get("ffff")


def test_the_list_is_newest_first_and_knows_names(store: Store) -> None:
    runs = [store.create(tiny(seed)) for seed in range(3)]
    for age, run in enumerate(runs):
        os.utime(run.recipe_file, (1000 - age, 1000 - age))
    assert [run.id for run in store.runs()] == [run.id for run in runs]
    assert store.runs()[0].name == "fused 8 + 5"


def test_names(store: Store) -> None:
    run = store.create(tiny())
    run.rename("  my\nbest\x00 net ")
    assert run.name == store.get(run.id).name == store.runs()[0].name == "my best net"
    with pytest.raises(RunError, match="81 characters"):
        run.rename("x" * 81)
    run.rename("ä" * 80)
    assert run.name == "ä" * 80
    run.rename("")
    assert run.name == "fused 8 + 5"
    assert run.recipe.id == run.id


def break_recipe(text: bytes) -> Any:
    return lambda folder: (folder / "recipe.json").write_bytes(text)


def remove_recipe(folder: Path) -> None:
    (folder / "recipe.json").unlink()


def link_recipe(folder: Path) -> None:
    remove_recipe(folder)
    (folder / "recipe.json").symlink_to("/dev/zero")


def pipe_recipe(folder: Path) -> None:
    remove_recipe(folder)
    os.mkfifo(folder / "recipe.json")


def folder_recipe(folder: Path) -> None:
    remove_recipe(folder)
    (folder / "recipe.json").mkdir()


def other_recipe(folder: Path) -> None:
    (folder / "recipe.json").write_text(json.dumps(to_data(tiny(seed=99))))


HOSTILE = {
    "empty": break_recipe(b""),
    "torn": break_recipe(b'{"design": {"in_ch'),
    "no text": break_recipe(b"\xff\xfe\x00"),
    "not an object": break_recipe(b"[1, 2]"),
    "nested": break_recipe(b'{"design": ' + b"[" * 200_000),
    "huge": break_recipe(b" " * 3_000_000),
    "bad design": break_recipe(b'{"design": {"body": 7}}'),
    "bad setting": break_recipe(json.dumps(to_data(tiny()) | {"lr": "fast"}).encode()),
    "unknown setting": break_recipe(json.dumps(to_data(tiny()) | {"../x": 1}).encode()),
    "someone else's": other_recipe,
    "missing": remove_recipe,
    "a link": link_recipe,
    "a folder": folder_recipe,
}
if hasattr(os, "mkfifo"):
    HOSTILE["a pipe"] = pipe_recipe


@pytest.mark.parametrize("how", HOSTILE)
def test_a_broken_folder_is_left_out_of_the_list(store: Store, how: str) -> None:
    good, bad = store.create(tiny()), store.create(tiny(seed=1))
    HOSTILE[how](bad.folder)
    assert [run.id for run in store.runs()] == [good.id]
    with pytest.raises(RunError, match=bad.id):
        store.get(bad.id)
    store.delete(bad.id)  # and can be got rid of
    assert not bad.folder.exists()


def test_what_is_no_run_is_left_out_of_the_list(store: Store, tmp_path: Path) -> None:
    run = store.create(tiny())
    elsewhere = Store(tmp_path / "elsewhere").create(tiny(seed=1))
    (store.root / elsewhere.id).symlink_to(elsewhere.folder)
    (store.root / "0123456789ab").write_text("a file")
    (store.root / "notes").mkdir()
    assert [found.id for found in store.runs()] == [run.id]
    with pytest.raises(RunError, match="no such run"):
        store.get(elsewhere.id)
    with pytest.raises(RunError, match="link"):
        store.create(tiny(seed=1))


def test_a_damaged_recipe_is_made_good_by_creating_the_run_again(store: Store) -> None:
    run = store.create(tiny())
    run.recipe_file.write_bytes(b"{")
    assert store.create(tiny()).recipe == Run(run.folder).recipe == tiny()


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"no run can be made in .*file"):
        Store(tmp_path / "file").create(tiny())


def test_delete_and_undo(store: Store) -> None:
    run = store.create(tiny())
    run.append_records(steps(1, 2))
    store.delete(run.id)
    assert store.runs() == [] and not run.folder.exists()
    assert store.restore(run.id).metrics() == steps(1, 2)
    store.delete(run.id)
    store.create(tiny())
    with pytest.raises(RunError, match="made again"):
        store.restore(run.id)
    store.delete(run.id)  # what lay in the trash before gives way
    assert store.restore(run.id).metrics() == []
    store.delete(run.id)
    store.purge_trash()
    with pytest.raises(RunError, match="no such run"):
        store.restore(run.id)
    store.purge_trash()


def test_a_run_at_work_is_not_deleted(store: Store) -> None:
    run = store.create(tiny())
    with holding(run.lock_file) as mine:
        assert mine and run.alive()
        with pytest.raises(RunError, match="at work: stop it first"):
            store.delete(run.id)
    assert not run.alive()
    store.delete(run.id)


def test_nothing_is_deleted_through_a_link(store: Store, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("kept")
    run = store.create(tiny())
    (run.folder / "snapshots").symlink_to(precious)
    run.forget()
    (run.folder / "mine").symlink_to(precious)
    store.delete(run.id)
    store.purge_trash()
    assert (precious / "file").read_text() == "kept"
    run = store.create(tiny())
    store.trash.symlink_to(precious)
    for act in (lambda: store.delete(run.id), lambda: store.restore(run.id), store.purge_trash):
        with pytest.raises(RunError, match="is a link"):
            act()
    assert (precious / "file").read_text() == "kept"


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


@pytest.fixture
def indexed(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Three runs, the newest first, in a store that writes its index for any number of them."""
    monkeypatch.setattr(index, "WORTH_WRITING", 1)
    runs = [store.create(tiny(seed)) for seed in range(3)]
    for age, run in enumerate(runs):
        run.write_status(Status("done", test_accuracy=age / 10, train_loss=1.0))
        os.utime(run.recipe_file, (1000 - age, 1000 - age))
        settle(run)
    return runs


def settle(run: Run) -> None:
    """As if the run had last been changed long ago."""
    os.utime(run.folder, (2000, 2000))


def listed(store: Store) -> list[str]:
    """What a process sees that knows nothing but the index and the folders."""
    return [entry.id for entry in Store(store.root).entries()]


def test_few_runs_need_no_index(store: Store) -> None:
    store.create(tiny())
    assert len(store.entries()) == 1 and not store.index.file.exists()


def test_the_index_is_only_a_cache(store: Store, indexed: list[Run]) -> None:
    expected = [run.id for run in indexed]
    assert listed(store) == expected
    whole = store.index.file.read_bytes()
    one = indexed[0].id.encode()
    for text in (b"", b"[1]", b"{", b'{"x": 3}', b'{"%s": [[0, 0, 7], null]}' % one, b"[" * 99_999, whole[:-20]):
        store.index.file.write_bytes(text)
        assert listed(store) == expected
        assert {run.name for run in Store().runs()} == {"fused 8 + 5"}
    store.index.file.unlink()
    assert listed(store) == expected and store.index.file.exists()
    store.index.file.unlink()
    store.index.file.mkdir()  # and where it cannot be written nobody minds
    assert listed(store) == expected


def test_the_index_saves_opening_the_folders(store: Store, indexed: list[Run], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Store().entries()
    monkeypatch.setattr(Run, "read_recipe", lambda *_: pytest.fail("the recipe was read again"))
    assert Store().entries() == expected
    assert [entry.status.test_accuracy for entry in expected] == [0.0, 0.1, 0.2]


def test_what_other_processes_do_is_in_the_next_list(store: Store, indexed: list[Run]) -> None:
    assert len(listed(store)) == 3 and store.index.file.exists()
    one, two, three = indexed
    other = Store(store.root)  # knows nothing of what `store` has in memory
    one.write_status(Status("done", test_accuracy=0.9))
    two.rename("mine")
    other.delete(three.id)
    made = other.create(tiny(seed=9))
    for looking in (store, Store(store.root)):
        by_id = {entry.id: entry for entry in looking.entries()}
        assert by_id.keys() == {one.id, two.id, made.id}
        assert by_id[one.id].status.test_accuracy == 0.9 and by_id[two.id].name == "mine"
    other.restore(three.id)
    one.recipe_file.write_bytes(b"{")
    shutil.rmtree(made.folder)
    assert listed(store) == [two.id, three.id]


def test_a_change_within_the_same_tick_of_the_clock_is_seen(store: Store, indexed: list[Run]) -> None:
    run = indexed[0]
    run.write_status(Status("done", test_accuracy=0.3))
    tick = os.stat(run.folder).st_mtime_ns
    assert {e.id: e for e in store.entries()}[run.id].status.test_accuracy == 0.3
    run.write_status(Status("done", test_accuracy=0.4))
    os.utime(run.folder, ns=(tick, tick))
    for looking in (store, Store(store.root)):
        assert {e.id: e for e in looking.entries()}[run.id].status.test_accuracy == 0.4


def test_who_lives_is_in_no_index(store: Store, indexed: list[Run]) -> None:
    run = indexed[0]
    run.write_status(Status("running", step=3))
    settle(run)
    for _ in range(2):
        assert {e.id: e.status.state for e in Store().entries()}[run.id] == "interrupted"
    with holding(run.lock_file):
        assert {e.id: e.status.state for e in Store().entries()}[run.id] == "running"


def test_entries_are_chosen_and_ordered(store: Store, indexed: list[Run]) -> None:
    indexed[1].write_status(Status("failed", test_accuracy=0.1))
    other = store.create(tiny(seed=7, data="scales", net="plain"))
    entries = store.entries()

    def chosen(**by: str) -> list[str]:
        return [entry.id for entry in index.choose(entries, **by)]

    one, two, three = (run.id for run in indexed)
    assert chosen(state="failed") == [two] and chosen(data="scales") == chosen(net="plain") == [other.id]
    assert chosen(state="done", data="digits", net="fused", sort="accuracy") == [three, one]
    assert chosen(sort="accuracy") == [three, two, one, other.id], "what is not known comes last"
    for sort in index.SORTS:
        assert sorted(chosen(sort=sort)) == sorted([one, two, three, other.id])


def test_an_entry_says_what_the_run_says(store: Store) -> None:
    run = store.create(tiny(design=dfn.fused(8, 5, 3, width=4, in_channels=1, join="mean")))
    run.rename("mine")
    (entry,) = store.entries()
    assert entry == index.entry_of(run)
    recipe, facts = run.recipe, entry.facts
    assert (entry.name, facts.label, facts.net) == ("mine", recipe.label, f"{recipe.label}, mean")
    assert (facts.data, facts.epochs, facts.seed) == (recipe.data, recipe.epochs, recipe.seed)
    assert facts.parameters == dfn.cost(recipe.design, (1, 8, 8)).parameters


def test_the_trash_is_listed_and_emptied(store: Store, tmp_path: Path) -> None:
    runs = [store.create(tiny(seed)) for seed in range(2)]
    assert store.trashed() == []
    for run in runs:
        store.delete(run.id)
    assert {run.id for run in store.trashed()} == {run.id for run in runs}
    store.purge_trash()
    assert store.trashed() == [] and not store.trash.exists()
    store.purge_trash()  # nothing to do
    store.trash.symlink_to(tmp_path)
    for act in (store.purge_trash, store.trashed):
        with pytest.raises(RunError, match="is a link"):
            act()


def test_thousands_of_runs_are_listed_quickly(store: Store) -> None:
    fill(store, 1000)
    assert len(store.entries()) == 1000
    for entry in store.entries():
        os.utime(store.root / entry.id, (2000, 2000))
        os.utime(store.root / entry.id / "recipe.json", (2000, 2000))
    store.entries()
    start = time.process_time()
    entries = index.choose(Store().entries(), net="fused", sort="accuracy")
    seconds = time.process_time() - start
    assert len(entries) == 1000 and entries[0].name == "fused 8 + 5"
    assert seconds < 0.2, seconds  # about 0.04; ten thousand in under a second


def fill(store: Store, count: int) -> None:
    """Runs of as many seeds; quicker than `create`, which waits for the disk."""
    recipe = tiny()
    for seed in range(1, count + 1):
        folder = store.root / recipe.model_copy(update={"seed": seed}).id
        folder.mkdir()
        (folder / "recipe.json").write_text(json.dumps(to_data(recipe) | {"seed": seed}))
