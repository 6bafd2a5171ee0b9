"""What the pages read of runs while these are being trained: only what is new since the last look. No drawing here."""

from dataclasses import dataclass, field
from typing import Any

from dfn.runs.store import Run, Status
from dfn.views.learning import Points, thin


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
        records, offset = run.records(self.offset)
        if offset < self.offset:
            self.__init__()
            records, offset = run.records(0)
        self.offset = offset
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
        self.status = run.status()
        return self.status

    def loss_curve(self) -> Points:
        """Loss by step, thinned to a few hundred points; the last one always stays."""
        return thin(self.steps, self.losses)

    def accuracy_curve(self) -> Points:
        """Test accuracy by epoch, epoch 0 (before training) included."""
        return [e["epoch"] for e in self.epochs], [e["test_accuracy"] for e in self.epochs]


def time_left(statuses: list[Status]) -> float | None:
    """Seconds until the last of these runs should be done, None while nobody knows. Runs of one race share a
    worker, so their rates already count each other."""
    left = [
        (s.steps - s.step) / s.steps_per_second
        for s in statuses
        if s.state == "running" and s.steps_per_second and s.steps
    ]
    return max(left) if left else None
