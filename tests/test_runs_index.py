"""The index over runs is a cache: it says what the folders say, quickly, and may be deleted at any time."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from runs_nursery import tiny

import dfn
from dfn.runs import index
from dfn.runs.locks import holding
from dfn.runs.store import Run, Status, Store
from dfn.training.recipe import to_data


@pytest.fixture
def store(runs_dir: Path) -> Store:
    return Store()


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


@pytest.mark.medium
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
