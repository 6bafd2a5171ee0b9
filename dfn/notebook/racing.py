"""Training in a notebook: here and at once, or by workers in processes of their own, watched live."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets
import plotly.graph_objects as go

from dfn.figures.curves import curves
from dfn.figures.theme import ROLES
from dfn.runs import launch
from dfn.runs.progress import Progress
from dfn.runs.run import Run
from dfn.runs.status import START_SECONDS
from dfn.runs.store import Store
from dfn.views.learning import Learner, panels
from dfn.views.notebook import Panel, View

if TYPE_CHECKING:
    from dfn.training.recipe import Recipe

LOOK_SECONDS = 0.3
MOVING = ("waiting", "running")


def trained(recipe: "Recipe") -> Run:
    """The run of this recipe in the usual store, trained here to its end; at once where it is there already."""
    from dfn.runs.worker import work

    run = Store().create(recipe)
    work([run])
    return run


class Race(Panel):
    """Curves of runs that workers train, read from the disk while they grow, with buttons to play, pause and rewind.

    The kernel stays free: another cell may look at a run meanwhile, or `pause()` the race.
    """

    def __init__(self, runs: Mapping[str, Run], roles: Mapping[str, str]) -> None:
        self.runs, self._given = dict(runs), dict(roles)
        self._read = {name: Progress() for name in runs}
        self._state = ipywidgets.HTML()
        self._watching: threading.Thread | None = None
        self._told: dict[str, float] = {}  # paused runs that may not have heard yet, with when they last said anything
        self._told_at = 0.0
        self.view = View("curves", self._data())
        buttons = [_button("Play", self.play), _button("Pause", self.pause), _button("Rewind", self.rewind)]
        super().__init__(ipywidgets.HBox([*buttons, self._state]), self.view, still=self._figure())
        self.view.has_still = True
        self.look()

    def play(self, until: launch.Until = "end") -> "Race":
        """Train, or go on where it was paused: to the end, for one `step`, or to the end of the `epoch`; what is done
        already stays as it is. Raises RunError."""
        paused = {name: status for name, run in self.runs.items() if (status := run.status()).state == "paused"}
        self._told, self._told_at = {name: status.updated for name, status in paused.items()}, time.monotonic()
        launch.play(list(self.runs.values()), until=until)
        self._watch()
        return self

    def pause(self) -> None:
        """Pause all runs; nothing of what they computed is lost."""
        launch.pause(self.runs.values())

    def rewind(self) -> None:
        """Back to the start of all runs. Raises RunError."""
        launch.rewind(list(self.runs.values()))
        self.look()

    def wait(self) -> None:
        """Wait until no run is trained any more, and leave the still figure of what there is then."""
        if self._watching is not None:  # one thread at a time talks to the widget
            self._watching.join()
        self._follow()

    def look(self) -> bool:
        """Read what is new; whether there is more to come."""
        found = {name: read.update(self.runs[name]) for name, read in self._read.items()}
        self._state.value = ", ".join(f"{name}: {status.state}" for name, status in found.items())
        self.view.data = self._data()
        waits = time.monotonic() - self._told_at < START_SECONDS
        self._told = {n: at for n, at in self._told.items() if waits and at == found[n].updated}
        return bool(self._told) or any(status.state in MOVING for status in found.values())

    def _watch(self) -> None:
        if self._watching is None or not self._watching.is_alive():
            self._watching = threading.Thread(target=self._follow, daemon=True)
            self._watching.start()

    def _follow(self) -> None:
        while self.look():
            time.sleep(LOOK_SECONDS)
        self.keep(self._figure())

    def _data(self) -> dict[str, Any]:
        found = zip(self._roles(), self._read.items(), strict=True)
        learners = [Learner(name, name, role, **read.curves) for role, (name, read) in found]
        return {"panels": panels(learners), "height": 260}

    def _figure(self) -> go.Figure:
        found = zip(self._roles(), self._read.items(), strict=True)
        series = {name: (role, *read.accuracy) for role, (name, read) in found}
        return curves(series, "Test accuracy, every epoch", "epoch", "test accuracy", percent=True)

    def _roles(self) -> Sequence[str]:
        """The colour of each net: the one that was given, else by what it is, or a free one where that is taken."""
        taken: list[str] = []
        for name, run in self.runs.items():
            free = [role for role in ("extra1", "extra2", *ROLES) if role not in taken]
            wanted = self._given.get(name) or run.recipe.net
            taken.append(wanted if wanted in ROLES and wanted not in taken else free[0])
        return taken


def race(runs: Mapping[str, Run], roles: Mapping[str, str] | None = None, play: bool = True) -> Race:
    """Live curves of runs by name. `play` starts them; `.wait()` waits for their end. `roles` gives nets the colour of
    a role (see `dfn.figures.theme`) by their names."""
    shown = Race(runs, roles or {})
    return shown.play() if play else shown


def _button(label: str, act: Any) -> ipywidgets.Button:
    button = ipywidgets.Button(description=label)
    button.on_click(lambda _: act())
    return button
