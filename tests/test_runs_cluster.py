"""Runs on a real Ray cluster of several nodes on this machine, one of which is killed in mid-run."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from needs import needs
from runs_nursery import curve, tiny

from dfn.runs import cluster, launch
from dfn.runs.locks import holding
from dfn.runs.run import RunError, Status
from dfn.runs.store import Run, Store
from dfn.runs.worker import work

SCENE = Path(__file__).with_name("cluster_scene.py")

needs_ray = needs(importlib.util.find_spec("ray") is not None, "Ray: pip install 'dfn[cluster]'")


@needs_ray
@pytest.mark.slow
@pytest.mark.flaky(reruns=2)  # a node of Ray gives its agent 15 seconds to start, which a busy machine may miss
def test_runs_on_a_node_that_is_killed_end_as_if_nothing_had_been(tmp_path: Path) -> None:
    recipes = [tiny(seed, epochs=40, train_limit=320) for seed in range(2)]
    runs = [Store(tmp_path / "ray").create(recipe) for recipe in recipes]
    alone = [Store(tmp_path / "alone").create(recipe) for recipe in recipes]
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_agent_register_timeout_ms": "120000"}
    environment["RAY_raylet_start_wait_time_s"] = "120"
    environment["PYTHONPATH"] = os.pathsep.join([str(SCENE.parent), str(SCENE.parents[1])])
    said = subprocess.run(
        [sys.executable, str(SCENE), str(tmp_path / "ray"), *(run.id for run in runs)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert said.returncode == 0, said.stderr[-3000:]
    taken_up = json.loads(said.stdout.splitlines()[-1])
    work(alone)
    for run, other, times in zip(runs, alone, taken_up, strict=True):
        assert run.status().state == "done" and times == 2, run.log()
        assert run.status().weights_sha256 == other.status().weights_sha256
        assert curve(run) == curve(other)


@pytest.fixture
def run(runs_dir: Path) -> Run:
    return Store().create(tiny())


def test_without_ray_one_sentence_says_what_to_install(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RunError, match="pip install 'dfn"):
        cluster.work([run])
    assert cluster.main([str(run.folder.parent), run.id, "0123456789ab"]) == 1
    assert run.status().state == "failed" and "need Ray" in run.status().message


def test_dfn_cluster_sends_runs_there(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    class Process:
        def __init__(self, command: list[str], **_: object):
            started.append(command)

        def wait(self) -> int:
            return 0

    monkeypatch.setattr(launch.subprocess, "Popen", Process)
    for address, module in (("10.0.0.1:6379", "dfn.runs.cluster"), ("", "dfn.runs.worker")):
        monkeypatch.setenv("DFN_CLUSTER", address)
        launch.start([run])
        assert started.pop()[3:] == [module, str(run.folder.parent), run.id]


def test_a_run_that_waits_for_the_cluster_is_kept_waiting(run: Run) -> None:
    run.command("run")
    run.write_status(Status("running", step=3, steps=12))  # its machine has died
    assert run.status().state == "interrupted"
    assert cluster._waits_on(run) and run.status().state == "waiting" and run.status().step == 3
    with holding(run.lock_file):  # somebody trains it: nothing is written
        run.write_status(Status("running", step=4, steps=12))
        assert cluster._waits_on(run) and run.written_status().state == "running"
    for mode, state in (("pause", "paused"), ("stop", "new")):
        run.command("run")
        run.write_status(Status("waiting"))
        run.command(mode)
        assert not cluster._waits_on(run) and run.status().state == state
    Store().delete(run.id)
    assert not cluster._waits_on(run)


@needs_ray
def test_no_cluster_is_a_sentence(run: Run) -> None:
    with pytest.raises(RunError, match="no Ray cluster answers at nonsense://x"):
        cluster.work([run], address="nonsense://x")
