"""The queue of workers, made of files alone: no server, and a worker that dies leaves it by dying.

A waiting worker holds the lock of a numbered ticket, a training one the lock of a slot. Whoever has the lowest living
ticket takes the next free slot: first come, first served. Tickets are written and cleared away under one lock.
"""

from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from dfn.runs.files import read_object, to_line, write_whole
from dfn.runs.locks import POLL, held, hold

PATIENCE = 10.0


@dataclass(frozen=True)
class Ticket:
    """A place in the queue, kept while this process lives."""

    file: Path
    lock: FileLock

    def is_first(self) -> bool:
        """Whether nobody alive waits in front."""
        return not any(file < self.file and held(_lock_of(file)) for file in _tickets(self.file.parent))

    def give_back(self) -> None:
        """Leave the queue."""
        with _clerk(self.file.parent):
            self.lock.release()
            _clear(self.file)


def take_ticket(queue: Path, ids: list[str]) -> Ticket:
    """Stand at the end of the queue for these runs."""
    with _clerk(queue):
        tickets = _tickets(queue)
        file = queue / f"{int(tickets[-1].stem) + 1 if tickets else 1:08d}.json"
        for other in tickets:
            if not held(_lock_of(other)):
                _clear(other)
        write_whole(file, to_line({"runs": ids}))
        lock = FileLock(_lock_of(file), thread_local=False)
        lock.acquire(timeout=PATIENCE, poll_interval=POLL)
        return Ticket(file, lock)


def take_slot(queue: Path, slots: int) -> FileLock | None:
    """A free slot among so many, or None."""
    locks = (hold(queue / f"slot-{number}.lock") for number in range(slots))
    return next((lock for lock in locks if lock), None)


def places(queue: Path) -> dict[str, int]:
    """The place of every run that waits among the living tickets, 1 for the next."""
    living = (file for file in _tickets(queue) if held(_lock_of(file)))
    found: dict[str, int] = {}
    for place, file in enumerate(living, start=1):
        for run in read_object(file).get("runs", ()):
            found.setdefault(run, place)
    return found


def anybody_waits(queue: Path) -> bool:
    """Whether a living worker waits for a slot."""
    return any(held(_lock_of(file)) for file in _tickets(queue))


def _tickets(queue: Path) -> list[Path]:
    return sorted(file for file in queue.glob("*.json") if file.stem.isdecimal())


def _lock_of(ticket: Path) -> Path:
    return ticket.with_suffix(".lock")


def _clerk(queue: Path) -> FileLock:
    """The lock under which tickets are written and cleared away, to be used in `with`."""
    queue.mkdir(parents=True, exist_ok=True)
    return FileLock(queue / "clerk.lock", timeout=PATIENCE, poll_interval=POLL)


def _clear(ticket: Path) -> None:
    for file in (ticket, _lock_of(ticket)):
        try:
            file.unlink(missing_ok=True)
        except OSError:  # Windows: somebody is just looking at it; the next ticket clears it away
            continue
