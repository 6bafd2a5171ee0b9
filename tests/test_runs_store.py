"""The run store as a folder: what is found, what is refused, and that nothing in it can make the list fail."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from runs_nursery import steps, tiny

from dfn.runs.locks import holding
from dfn.runs.store import Run, RunError, Status, Store, runs_root
from dfn.training.recipe import to_data


@pytest.fixture
def store(runs_dir: Path) -> Store:
    return Store()


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
