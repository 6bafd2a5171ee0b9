"""Training loss by step and test accuracy by epoch of several runs, laid over each other."""

from collections.abc import Sequence
from typing import Any

from live import Progress

from dfn.words import _
from widgets import view


def show(curves: Sequence[tuple[str, str, str, Progress]], key: str) -> None:
    """Draw (id, label, role, what is known) of every run; the axes end where the longest run ends."""
    begins = [progress.begin for *_about, progress in curves if progress.begin]
    steps = max((begin["steps"] for begin in begins), default=1)
    per_epoch = {begin["steps_per_epoch"] for begin in begins}
    epochs = max((begin["steps"] // max(1, begin["steps_per_epoch"]) for begin in begins), default=1)
    loss, accuracy = [], []
    for id, label, role, progress in curves:
        state = progress.status.state if progress.status else ""
        common = {"id": id, "label": label, "role": role, "state": state}
        x, y = progress.loss_curve()
        loss.append({**common, "x": x, "y": y, "markers": False})
        x, y = progress.accuracy_curve()
        accuracy.append({**common, "x": x, "y": [100 * value for value in y], "markers": len(x) < 40})
    same = per_epoch.pop() if len(per_epoch) == 1 else None
    panels = [
        _panel("loss", _("Training loss, every step"), _("nats"), _("step"), steps, same, None, loss),
        _panel("accuracy", _("Test accuracy, every epoch"), "%", _("epoch"), epochs, 1, 100, accuracy),
    ]
    view.show("curves", {"panels": panels, "height": 300}, key=key)


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
