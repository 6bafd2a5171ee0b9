"""Real worker processes that start in an instant: one process has torch loaded and forks a worker whenever asked.

It can also have a worker killed (SIGKILL), after some time or in the middle of its n-th operation on a file.
"""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import dfn
from dfn.runs.store import Run
from dfn.training.recipe import Recipe

STEP = {"event": "step", "step": 1, "loss": 2.3, "accuracy": 0.1, "lr": 0.02}


def tiny(seed: int = 0, **settings: Any) -> Recipe:
    """A recipe of 12 steps in 3 epochs, trained in some tenths of a second."""
    design = dfn.fused(8, 5, 3, width=4, in_channels=1)
    small: dict[str, Any] = {"train_limit": 128, "test_limit": 100, "batch_size": 32, "epochs": 3}
    return Recipe(**({"design": design, "seed": seed, **small} | settings))


def steps(*numbers: int) -> list[dict[str, Any]]:
    return [STEP | {"step": number} for number in numbers]


def curve(run: Run) -> list[dict[str, Any]]:
    """All that was measured, but for the time it took."""
    return [{name: value for name, value in record.items() if name != "seconds"} for record in run.metrics()]


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    return answer


class Nursery:
    """The process that forks workers; `start` stands in for `dfn.runs.launch.start`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, runs: Sequence[Run]) -> None:
        self._ask(runs, wait=False)

    def finish(self, runs: Sequence[Run], **death: float) -> bool:
        """Start a worker and wait for its end; `after` seconds or `at` an operation kill it. Returns whether it was
        killed."""
        return self._ask(runs, wait=True, **death) == -signal.SIGKILL

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def _ask(self, runs: Sequence[Run], **wish: Any) -> int:
        assert self.process.stdin and self.process.stdout
        names = ("DFN_WORKERS", "DFN_PAUSE_KEEP", "DFN_SNAPSHOT_MB", "DFN_CACHE")
        wish["environment"] = {name: os.environ[name] for name in names if name in os.environ}
        wish["arguments"] = [str(runs[0].folder.parent), *(run.id for run in runs)]
        wish["log"] = str(runs[0].log_file)
        print(json.dumps(wish), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


def serve() -> None:
    """Fork a worker for every line of standard input; answer with its exit code, or 0 where nobody waits for it."""
    import torch

    torch.set_num_threads(1)
    # The first optimizer of a process makes torch import its compiler, which takes longer than a tiny run.
    torch.optim.SGD([torch.zeros(1, requires_grad=True)])
    gc.freeze()  # a worker that walks over all objects of its parent gets a copy of each
    children = []
    for line in sys.stdin:
        wish = json.loads(line)
        child = os.fork()
        if not child:
            _become_a_worker(wish)
        if wish["wait"]:
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
        else:
            children.append(child)
            print(0, flush=True)
        children = [c for c in children if os.waitpid(c, os.WNOHANG) == (0, 0)]
    for child in children:
        os.kill(child, signal.SIGKILL)


def _become_a_worker(wish: dict[str, Any]) -> None:
    from dfn.runs import racer, worker

    code = 70
    try:
        os.setsid()
        log = os.open(wish["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.environ.update(wish["environment"])
        if "after" in wish or "at" in wish:
            racer.CHECKPOINT_SECONDS = 0.02
        if "after" in wish:
            signal.signal(signal.SIGALRM, lambda *_: _die())
            signal.setitimer(signal.ITIMER_REAL, wish["after"])
        if "at" in wish:
            _die_at(wish["at"])
        worker.NICENESS = 0  # tests would wait longer on a busy machine
        code = worker.main(wish["arguments"])
    finally:
        sys.stderr.flush()
        os._exit(code)


def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_at(operations: int) -> None:
    """Let the n-th write, sync or rename be the last: a write gets half of its bytes to the disk."""
    from dfn.runs import files, run

    left = operations
    plain_open, sync, rename = open, os.fsync, os.replace

    def last() -> bool:
        nonlocal left
        left -= 1
        return left == 0

    class Mortal:
        def __init__(self, file: Any):
            self.file = file

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: Any) -> None:
            self.file.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, data: Any) -> int:
            if last():
                self.file.write(data[: len(data) // 2])
                self.file.flush()
                _die()
            return self.file.write(data)

    def mortal_open(path: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = plain_open(path, mode, *arguments, **options)
        return file if "r" in mode else Mortal(file)

    files.open = run.open = mortal_open  # pyright: ignore[reportAttributeAccessIssue]
    os.fsync = lambda fd: _die() if last() else sync(fd)
    os.replace = lambda source, target: _die() if last() else rename(source, target)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    serve()
