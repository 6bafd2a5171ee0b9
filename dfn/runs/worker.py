"""The worker: claims runs by their locks, waits for its turn without torch, and trains them side by side.

`python -m dfn.runs.worker ROOT ID [ID ...]` is the detached one; `work` does the same in the foreground, for the
shell and for notebooks. Runs of one worker advance in turns, a step each, so that a race is seen as one on one core.
"""

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from dfn.runs import launch, queue
from dfn.runs.locks import hold
from dfn.runs.run import Run, RunError
from dfn.runs.status import Control
from dfn.runs.store import Store

OnRecord = Callable[[Run, dict[str, Any]], None]

CLAIM_SECONDS = 2.0
LOOK_SECONDS = 0.02
IDLE_SECONDS = 0.05
WAIT_SECONDS = 0.2
PAUSE_KEEP = 120.0
NICENESS = 5


class Claim:
    """A run that this process has: its lock, and the last command to it."""

    def __init__(self, run: Run, lock: FileLock):
        self.run, self._lock = run, lock
        self._look_due = 0.0
        self._seen = self._signature()
        self.control = run.control()
        self.taken = 0  # how many commands came since

    def look(self) -> Control:
        """The last command; the disk is asked some fifty times a second at most."""
        now = time.monotonic()
        if now >= self._look_due:
            self._look_due = now + LOOK_SECONDS
            if (seen := self._signature()) not in (None, self._seen):
                self._seen, self.control = seen, self.run.control()
                self.taken += 1
        return self.control

    def let_go(self) -> None:
        """Drop the lock. A command that came at this very moment finds a worker nevertheless."""
        self._lock.release()
        if self._signature() not in (None, self._seen):
            with suppress(OSError, RunError):  # the other runs of this worker go on, whatever is in the way of this one
                launch.start_if_told(self.run)

    def _signature(self) -> tuple[int, int] | None:
        try:
            stat = os.stat(self.run.control_file)
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_ino


def work(runs: Sequence[Run], *, on_record: OnRecord | None = None) -> None:
    """Train runs to the end in this process, side by side, and call `on_record(run, line)` with every record.

    It does not queue: who calls it wants to see it now. A run that is paused from elsewhere is waited for, as a
    detached worker does. How it ended is in `run.status()`. Raises RunError for a run that another worker has.
    """
    claims: list[Claim] = []
    try:
        for run in runs:
            if run.status().state == "done":
                continue
            if not (claim := _claim(run)):
                raise RunError(f"run {run.id} is being trained by another worker")
            claims.append(claim)
        for claim in claims:
            claim.run.command("run")
            claim.look()
        _race(claims, on_record, queued=False)
    finally:
        _let_go(claims)


def attend(run: Run, patience: float = CLAIM_SECONDS) -> None:
    """Train a run as its last command says, without queueing; somebody else gave the command and the place. Raises
    RunError for a run that another worker has for longer than `patience` seconds."""
    lock = hold(run.lock_file, patience)
    if not lock:
        raise RunError(f"run {run.id} is being trained by another worker")
    claims = [Claim(run, lock)]
    try:
        if run.written_status().state != "done" and claims[0].control.mode == "run":
            _race(claims, None, queued=False)
    finally:
        _let_go(claims)


def main(arguments: Sequence[str]) -> int:
    """Wait for a slot, then train; returns the exit code: 0, or 1 where a run failed or cannot be found."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    store = Store(Path(arguments[0]))
    runs: list[Run] = []
    for id in arguments[1:]:
        try:
            runs.append(store.get(id))
        except RunError as error:  # the others shall not wait in vain for one that was deleted meanwhile
            print(error, file=sys.stderr)
    claims: list[Claim] = []
    slot = None
    try:
        claims += [claim for run in runs if run.status().state != "done" and (claim := _claim(run))]
        while claims:
            slot = _wait_for_slot(claims)
            _race(claims, None, queued=True)
            if slot:  # who is left waits for a teacher, and stands in the queue again so that it can have its turn
                slot.release()
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if slot:
            slot.release()
        _let_go(claims)
    return int(len(runs) < len(arguments) - 1 or any(run.status().state == "failed" for run in runs))


def _claim(run: Run) -> Claim | None:
    lock = hold(run.lock_file, CLAIM_SECONDS)
    return Claim(run, lock) if lock else None


def _let_go(claims: list[Claim]) -> None:
    while claims:
        claims.pop().let_go()


def _wait_for_slot(claims: list[Claim]) -> FileLock | None:
    """Stand in the queue until a slot is free; runs that are told to pause or stop meanwhile leave it."""
    if not claims:
        return None
    folder = claims[0].run.queue
    ticket = queue.take_ticket(folder, [claim.run.id for claim in claims])
    try:
        for claim in claims:
            claim.run.write_status(replace(claim.run.written_status(), state="waiting"))
        while claims:
            for claim in list(claims):
                mode = claim.look().mode
                if mode != "run":
                    claim.run.rest("paused" if mode == "pause" else "stopped")
                    claims.remove(claim)
                    claim.let_go()
            if claims and ticket.is_first() and (slot := queue.take_slot(folder, launch.worker_limit())):
                return slot
            time.sleep(WAIT_SECONDS)
    finally:
        ticket.give_back()


def _race(claims: list[Claim], on_record: OnRecord | None, *, queued: bool) -> None:
    """Train side by side until every run has ended, or only paused ones are left and nobody plays them again.

    Of `claims` those stay whose teacher another worker has, where somebody else wants the slot meanwhile.
    """
    if not claims:
        return
    from dfn.runs.environment import threads_of  # torch, from here on
    from dfn.runs.racer import Racer

    # a teacher that itself waits for a place has one only where this worker would make room for it
    worth_waiting_for = ("waiting", "running") if queued else ("running",)
    keep = float(os.environ.get("DFN_PAUSE_KEEP") or PAUSE_KEEP)
    folder = claims[0].run.queue
    with threads_of(claims[0].run):
        data: dict[str, Any] = {}
        racers = {claim: Racer(claim.run, data, on_record) for claim in claims}
        unsaid: list[str] = []
        idle_until = next_look = time.monotonic()
        try:
            while racers:
                moved = False
                for claim, racer in list(racers.items()):
                    moved |= racer.turn(claim.look(), claim.taken)
                    if racer.ended:
                        unsaid += [racer.unsaid] if racer.unsaid else []
                        del racers[claim]
                        claims.remove(claim)
                        claim.let_go()
                now = time.monotonic()
                if moved:
                    idle_until, next_look = now + keep, now
                    continue
                awaiting = [claim for claim, racer in racers.items() if racer.awaited in worth_waiting_for]
                if awaiting:
                    idle_until = now + keep
                if now >= idle_until:
                    _let_go(claims)
                    break
                if queued and now >= next_look:
                    next_look = now + WAIT_SECONDS
                    if queue.anybody_waits(folder):
                        _let_go([claim for claim in claims if claim not in awaiting])
                        claims[:] = awaiting
                        break
                time.sleep(IDLE_SECONDS)
        except KeyboardInterrupt:
            for racer in racers.values():
                racer.interrupt()
            raise
        if unsaid:
            raise RunError("; ".join(unsaid))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
