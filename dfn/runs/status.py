"""What a run says of itself, and what it is told: two small records, a JSON file each."""

import time
from dataclasses import dataclass
from typing import Literal

State = Literal["new", "waiting", "running", "paused", "done", "stopped", "failed", "interrupted"]
Mode = Literal["run", "pause", "stop"]

START_SECONDS = 30.0  # a worker that has not shown itself after so long will not come


@dataclass(frozen=True)
class Status:
    """Where a run stands. `epoch` counts finished epochs, `place` is its place in the queue (1 is next), `message`
    says what happened and what to try, `updated` is a Unix time, `disk_bytes` are its checkpoints and snapshots."""

    state: State = "new"
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    message: str = ""
    place: int | None = None
    test_accuracy: float | None = None
    train_loss: float | None = None
    seconds: float = 0.0
    steps_per_second: float | None = None
    updated: float = 0.0
    weights_sha256: str | None = None
    disk_bytes: int = 0


@dataclass(frozen=True)
class Control:
    """The last command to a run: to train until a step, to the end of the epoch it is in, or to the end (None)."""

    serial: int = 0
    mode: Mode = "run"
    until: int | Literal["epoch"] | None = None


def expected(status: Status) -> bool:
    """Whether a worker was started so short a time ago that it may still be on its way."""
    return status.state == "waiting" and 0 <= time.time() - status.updated < START_SECONDS
