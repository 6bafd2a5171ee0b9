"""Training loss by step and test accuracy by epoch of several runs, laid over each other."""

from collections.abc import Sequence

from dfn.runs.progress import Progress
from dfn.views.learning import Learner, panels
from widgets import view


def show(curves: Sequence[tuple[str, str, str, Progress]], key: str) -> None:
    """Draw (id, label, role, what is known) of every run; the axes end where the longest run ends."""
    learners = [Learner(id, label, role, **progress.curves) for id, label, role, progress in curves]
    view.show("curves", {"panels": panels(learners), "height": 300}, key=key)
