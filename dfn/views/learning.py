"""What the view `curves` is told of runs that learn: training loss by step, test accuracy by epoch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dfn.words import _

MOST_POINTS = 400

Points = tuple[Sequence[int], Sequence[float]]


@dataclass(frozen=True)
class Learner:
    """One run: `loss` in nats by step and `accuracy` from 0 to 1 by epoch, as (x, y). `steps` is where its axis ends,
    0 while that is not known; `state` says what it does."""

    id: str
    label: str
    role: str
    state: str
    loss: Points
    accuracy: Points
    steps: int = 0
    steps_per_epoch: int = 0


def panels(learners: Sequence[Learner]) -> list[dict[str, Any]]:
    """The panels of loss and accuracy; the axes end where the longest run ends."""
    loss, accuracy = [], []
    for learner in learners:
        common = {"id": learner.id, "label": learner.label, "role": learner.role, "state": learner.state}
        x, y = thin(*learner.loss)
        loss.append({**common, "x": x, "y": y, "markers": False})
        x, y = learner.accuracy
        accuracy.append({**common, "x": x, "y": [100 * value for value in y], "markers": len(x) < 40})
    known = [learner for learner in learners if learner.steps_per_epoch]
    steps = max((learner.steps for learner in known), default=1)
    epochs = max((learner.steps // learner.steps_per_epoch for learner in known), default=1)
    per_epoch = {learner.steps_per_epoch for learner in known}
    same = per_epoch.pop() if len(per_epoch) == 1 else None
    return [
        _panel("loss", _("Training loss, every step"), _("nats"), _("step"), steps, same, None, loss),
        _panel("accuracy", _("Test accuracy, every epoch"), "%", _("epoch"), epochs, 1, 100, accuracy),
    ]


def thin(x: Sequence[int], y: Sequence[float]) -> Points:
    """The same curve with a few hundred points; the last one always stays."""
    every = max(1, -(-len(x) // MOST_POINTS))
    first = (len(x) - 1) % every
    return x[first::every], y[first::every]


def _panel(
    id: str, title: str, unit: str, x: str, end: int, epoch: int | None, top: int | None, series: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": id,
        "title": title,
        "unit": unit,
        "x_label": x,
        "x_max": end,
        "epoch_steps": epoch,
        "log": False,
        "y_min": 0,
        "y_max": top,
        "series": series,
    }
