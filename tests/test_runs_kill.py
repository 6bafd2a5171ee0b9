"""Workers that are killed at any moment: whoever plays the run again ends with the same curve and weights."""

import os
import random
from pathlib import Path

import pytest
from needs import needs
from runs_nursery import Nursery, curve, tiny

from dfn.runs.store import Run, Store
from dfn.runs.worker import work

KILLS = 24

pytestmark = [pytest.mark.slow, needs(hasattr(os, "fork"), "fork, by which the nursery makes workers")]


@pytest.mark.parametrize("kind", ["after some time", "at an operation on a file"])
def test_a_run_that_is_killed_again_and_again_ends_as_if_nothing_had_happened(runs_dir: Path, kind: str) -> None:
    store, chance = Store(), random.Random(kind)
    recipes = [tiny(seed, epochs=4) for seed in range(2)]
    references = [Store(runs_dir / "reference").create(recipe) for recipe in recipes]
    work(references)
    runs = [store.create(recipe) for recipe in recipes]
    nursery, kills = Nursery(), 0
    try:
        while kills < KILLS:
            if all(run.status().state == "done" for run in runs):  # survived it: once more from the start
                _compare(runs, references)
                for run in runs:
                    run.forget()
            in_time, at = {"after": chance.uniform(0.02, 0.3)}, {"at": chance.randint(1, 60)}
            kills += nursery.finish(runs, **(in_time if kind == "after some time" else at))
            assert all(run.status().state != "failed" for run in runs), runs[0].log()
        nursery.finish(runs)
    finally:
        nursery.close()
    _compare(runs, references)


def _compare(runs: list[Run], references: list[Run]) -> None:
    for run, reference in zip(runs, references, strict=True):
        assert run.status().state == "done"
        assert curve(run) == curve(reference)
        assert run.status().weights_sha256 == reference.status().weights_sha256
        assert {e: f.read_bytes() for e, f in run.snapshots().items()} == {
            e: f.read_bytes() for e, f in reference.snapshots().items()
        }
        run.prepare_folders()
        assert not list(run.folder.rglob("*.part"))
