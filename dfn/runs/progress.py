"""What is known of a run while it is trained: its records as far as they were read, and only what is new since then."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dfn.runs.run import Run
from dfn.runs.status import Status


@dataclass
class Progress:
    """The records of one run as far as they were read, sorted by kind."""

    offset: int = 0
    begin: dict[str, Any] | None = None
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)
    first_norms: dict[str, Any] | None = None
    norms: dict[str, Any] | None = None
    status: Status | None = None

    def update(self, run: Run) -> Status:
        """Read what has come since the last time; a run that was rewound starts anew."""
        status = run.status()  # first: what a run that has ended by now wrote is all there to be read
        records, offset = run.records(self.offset)
        if offset < self.offset:
            self.__init__()
            records, offset = run.records(0)
        self.offset, self.status = offset, status
        for record in records:
            match record["event"]:
                case "step":
                    self.steps.append(record["step"])
                    self.losses.append(record["loss"])
                case "epoch":
                    self.epochs.append(record)
                case "norms":
                    self.first_norms = self.first_norms or record
                    self.norms = record
                case "begin":
                    self.begin = record
        return status

    @property
    def done(self) -> bool:
        """Whether the run has come to its end."""
        return self.status is not None and self.status.state == "done"

    @property
    def accuracy(self) -> tuple[list[int], list[float]]:
        """Test accuracy by epoch, epoch 0 (before training) included."""
        return [e["epoch"] for e in self.epochs], [e["test_accuracy"] for e in self.epochs]

    @property
    def curves(self) -> dict[str, Any]:
        """What `dfn.views.learning.Learner` is told of a run, besides its name and colour."""
        ends = {name: self.begin[name] for name in ("steps", "steps_per_epoch")} if self.begin else {}
        state = self.status.state if self.status else ""
        return {"state": state, "loss": (self.steps, self.losses), "accuracy": self.accuracy, **ends}


def time_left(statuses: Iterable[Status]) -> float | None:
    """Seconds until the last of these runs should be done, None while nobody knows. Runs of one race share a
    worker, so their rates already count each other."""
    left = [
        (s.steps - s.step) / s.steps_per_second
        for s in statuses
        if s.state == "running" and s.steps_per_second and s.steps
    ]
    return max(left) if left else None
