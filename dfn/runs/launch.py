"""Commands to runs, and workers for those that have none. It writes files and starts processes; torch is not needed.

A worker is a process of its own that outlives whoever started it. Commands are files, so they reach it from any page,
shell or notebook.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Literal

from dfn.runs.locks import holding
from dfn.runs.run import Run, RunError
from dfn.runs.status import Status, expected
from dfn.words import _

Until = Literal["end", "step", "epoch"]

PATIENCE = 0.05
CORES_A_WORKER = 4
STOP_SECONDS = 20.0
FOLDERS_OF_DATA = ("DFN_DATA", "DFN_CACHE")


def play(runs: Sequence[Run], *, until: Until = "end") -> None:
    """Train these runs, or go on: to the end, for one step, or to the end of the epoch they are in, then pause.

    Runs that have a worker are told so; all others get one new worker together, which advances them side by side.
    Raises RunError where no worker can be started.
    """
    waking = [run for run in runs if _wake(run, until)]
    for _folder, group in groupby(sorted(waking, key=_root), key=_root):
        start(list(group))


def pause(runs: Iterable[Run]) -> None:
    """Pause runs that are trained or wait; nothing of what they computed is lost."""
    for run in runs:
        if run.status().state in ("waiting", "running"):
            run.command("pause")


def stop(runs: Iterable[Run]) -> None:
    """Stop runs; their workers let go of them, and Play goes on from here."""
    for run in runs:
        if run.status().state not in ("waiting", "running", "paused", "interrupted"):
            continue
        run.command("stop")
        with holding(run.lock_file, PATIENCE) as mine:
            if mine:  # nobody is there to take the command; a worker that is still on its way will find it
                run.rest()


def cancel(runs: Iterable[Run]) -> None:
    """Take runs that wait for a worker out of the queue."""
    stop(run for run in runs if run.status().state == "waiting")


def rewind(runs: Sequence[Run]) -> None:
    """Back to the start: stop, and forget metrics, checkpoints and snapshots. Playing again gives the same curve.

    Raises RunError for a run whose worker does not stop in time.
    """
    for run in runs:
        run.command("stop")
    for run in runs:
        with holding(run.lock_file, STOP_SECONDS) as mine:
            if not mine:
                raise RunError(
                    _("run {id} did not stop within {seconds:.0f} seconds; try again").format(
                        id=run.id, seconds=STOP_SECONDS
                    )
                )
            try:
                run.forget()
            except OSError as error:
                raise RunError(
                    _("run {id} cannot be rewound ({why})").format(id=run.id, why=error.strerror or error)
                ) from error


def worker_limit() -> int:
    """How many workers train at a time: `DFN_WORKERS`, or one for every four cores (at least one)."""
    wanted = os.environ.get("DFN_WORKERS", "")
    if not wanted:
        return max(1, (spare_cores() + 1) // CORES_A_WORKER)
    if not wanted.isdecimal() or int(wanted) < 1:
        raise RunError(_("DFN_WORKERS: {value!r} is not accepted; accepted: a number from 1 on").format(value=wanted))
    return int(wanted)


def spare_cores() -> int:
    """All cores that this process may use but one, which is left to the page that shows the training."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, usable - 1)


def start(runs: Sequence[Run]) -> None:
    """Start a worker for runs of one store, whatever their last command was; where `DFN_CLUSTER` names a Ray cluster,
    one that submits them there. Raises RunError."""
    root = runs[0].folder.parent
    threads = str(max(1, spare_cores() // worker_limit()))
    environment = os.environ | {
        "DFN_RUNS": str(root),
        "OMP_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "OMP_WAIT_POLICY": "PASSIVE",  # a spinning thread takes the core of the page and of the other workers
    }
    for name in FOLDERS_OF_DATA:
        if name in environment:
            environment[name] = str(Path(environment[name]).absolute())
    worker = "dfn.runs.cluster" if os.environ.get("DFN_CLUSTER") else "dfn.runs.worker"
    command = [sys.executable, "-P", "-m", worker, str(root), *(run.id for run in runs)]
    if sys.platform == "win32":
        flags = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        flags |= subprocess.BELOW_NORMAL_PRIORITY_CLASS
    else:
        flags = 0
    try:
        with open(runs[0].log_file, "ab") as log:
            process = subprocess.Popen(
                command,
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                creationflags=flags,
            )
    except OSError as error:
        for run in runs:
            run.write_status(replace(run.status(), state="failed", message=f"No worker could be started: {error}."))
        raise RunError(_("no worker could be started ({why})").format(why=error.strerror or error)) from error
    # Somebody has to take note of its end, or it stays in the table of processes as long as this one lives.
    threading.Thread(target=process.wait, daemon=True).start()


def _root(run: Run) -> Path:
    return run.folder.parent


def start_if_told(run: Run) -> None:
    """Start a worker for a run that was told to play just while its worker let go of it."""
    if run.control().mode == "run" and run.written_status().state != "done" and _lacks_worker(run):
        start([run])


def _wake(run: Run, until: Until) -> bool:
    """Leave the command; true where a worker has to be started for it."""
    status = run.status()
    if status.state == "done":
        return False
    run.command("run", _target(run, status, until))
    # The command is left before this look: a worker that lets go just now looks for commands once more after that.
    return _lacks_worker(run)


def _lacks_worker(run: Run) -> bool:
    """Whether nobody has the run nor is on the way to it; it is then marked as waiting."""
    with holding(run.lock_file, PATIENCE) as mine:
        status = run.written_status()
        if not mine or expected(status):
            return False
        run.write_status(replace(status, state="waiting", message="", steps_per_second=None))
        return True


def _target(run: Run, status: Status, until: Until) -> int | Literal["epoch"] | None:
    """Steps are counted on from the last target, so that none of several quick clicks is lost."""
    if until == "end":
        return None
    if until == "epoch":
        return "epoch"
    before = run.control()
    counts = before.mode == "run" and status.state in ("waiting", "running", "paused")
    return 1 + max(status.step, before.until if counts and isinstance(before.until, int) else 0)
