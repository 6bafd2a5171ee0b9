"""Runs as tasks of a Ray cluster: they wait for a free CPU or GPU anywhere, and a run on a machine that dies is taken
up by another one from its last checkpoint.

All that the machines share is the folder of the runs; commands and records go through its files as always. Whoever
submits stays until the runs have ended, since Ray gives up the tasks of a process that is gone:
`python -m dfn.runs.cluster ROOT ID [ID ...]` is the detached one, `work` does the same in the foreground.
"""

import logging
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from dfn.runs.locks import holding
from dfn.runs.run import Run, RunError
from dfn.runs.store import Store

OnRecord = Callable[[Run, dict[str, Any]], None]

LOOK_SECONDS = 0.2
RETRIES = 20  # as often may a machine die under a run
LOCK_SECONDS = 120.0  # a file server may keep the lock of a dead machine for so long
LIVING = ("waiting", "running")


def work(runs: Sequence[Run], *, on_record: OnRecord | None = None, address: str | None = None) -> None:
    """Train runs on the cluster at `address` (`DFN_CLUSTER`, or the one that Ray finds), each as soon as there is room,
    and call `on_record(run, line)` with every record as it comes. How they ended is in `run.status()`. Raises RunError
    where there is no Ray or no cluster."""
    tasks = _submit([run for run in runs if run.status().state != "done"], address)
    read = {run.id: len(run.metrics()) for run in runs}
    import ray
    from ray.exceptions import RayError

    while tasks:
        over, _ = ray.wait(list(tasks), num_returns=len(tasks), timeout=LOOK_SECONDS)
        for task, run in list(tasks.items()):
            if on_record:
                lines = run.metrics()
                for line in lines[read[run.id] :]:
                    on_record(run, line)
                read[run.id] = len(lines)
            if task in over:
                del tasks[task]
                try:
                    ray.get(task)
                except RayError as error:
                    _fail(run, str(error))
            elif not _waits_on(run):
                del tasks[task]
                ray.cancel(task)


def main(arguments: Sequence[str]) -> int:
    """Submit the runs of a store and wait for their end; returns the exit code."""
    store, runs = Store(Path(arguments[0])), []
    for id in arguments[1:]:
        with suppress(RunError):  # deleted meanwhile
            runs.append(store.get(id))
    try:
        work(runs)
    except RunError as error:
        for run in runs:
            _fail(run, str(error))
        return 1
    return int(any(run.status().state == "failed" for run in runs))


def train_on_node(root: str, id: str, *before: object) -> None:
    """What a task does, on whatever machine: take the run up where it stands, and train it. It begins once the tasks
    `before` it are over: a net that learns from another one takes no place while that one is trained."""
    from dfn.runs.worker import attend

    os.environ["DFN_RUNS"] = root
    attend(Store(Path(root)).get(id), LOCK_SECONDS)


def _submit(runs: Sequence[Run], address: str | None) -> dict[Any, Run]:
    """A task for every run, which stands as waiting from now on."""
    try:
        import ray
    except ImportError as error:
        raise RunError("runs on a cluster need Ray; install it with: pip install 'dfn[cluster]'") from error
    address = address or os.environ.get("DFN_CLUSTER") or "auto"
    try:
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
        gpus = min(1, int(ray.cluster_resources().get("GPU", 0)))
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"no Ray cluster answers at {address} ({reason}); see DFN_CLUSTER") from error
    from dfn.runs.cluster import train_on_node  # by its name, also where this module is the one that was started

    task = ray.remote(num_cpus=1, num_gpus=gpus, max_retries=RETRIES)(train_on_node)
    tasks: dict[str, Any] = {}
    for run in sorted(runs, key=lambda run: run.recipe.teacher is not None):
        run.command("run")
        _note_waiting(run)
        teacher = tasks.get(run.recipe.teacher or "")
        tasks[run.id] = task.remote(str(run.folder.parent), run.id, *([teacher] if teacher else []))
    return {tasks[run.id]: run for run in runs}


def _waits_on(run: Run) -> bool:
    """Say that a run still waits, where nobody trains it now; false where it was told to rest or is gone."""
    if not run.folder.is_dir():
        return False
    mode = run.control().mode
    with holding(run.lock_file) as mine:
        if not mine:
            return True
        status = run.written_status()
        if mode != "run":
            if status.state in LIVING:
                run.rest("paused" if mode == "pause" else "stopped")
            return False
    _note_waiting(run)
    return True


def _note_waiting(run: Run) -> None:
    with holding(run.lock_file) as mine:
        status = run.written_status()
        if mine and status.state not in ("done", "failed"):
            run.write_status(replace(status, state="waiting", message="", steps_per_second=None))


def _fail(run: Run, reason: str) -> None:
    with suppress(OSError), holding(run.lock_file) as mine:
        if mine and run.written_status().state != "done":
            message = f"The cluster could not train this run: {' '.join(reason.split())[:300]}"
            run.write_status(replace(run.written_status(), state="failed", message=message, steps_per_second=None))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
