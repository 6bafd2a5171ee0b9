"""Who is alive is told by file locks, which the operating system drops together with the process that holds them.

A process number proves nothing: it stays on the disk after a crash and is given to another process later.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

POLL = 0.005


def hold(path: Path, patience: float = 0.0) -> FileLock | None:
    """The lock of this file, held until it is released or this process ends; None where somebody else holds it for
    longer than `patience` seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(timeout=patience, poll_interval=POLL)
    except Timeout:
        return None
    return lock


@contextlib.contextmanager
def holding(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Hold the lock meanwhile; false where somebody else holds it for longer than `patience` seconds."""
    lock = hold(path, patience)
    try:
        yield lock is not None
    finally:
        if lock:
            lock.release()


def held(path: Path) -> bool:
    """Whether anybody holds the lock. To find out it is held for some microseconds, so whoever wants to keep a lock
    has to be that patient."""
    if not path.exists():
        return False
    with contextlib.suppress(OSError):
        lock = hold(path)
        if lock is None:
            return True
        lock.release()
    return False
