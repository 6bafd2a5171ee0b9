"""Play, pause, step, rewind, stop: the buttons of a race. They only ask; the work is done by another process."""

from collections.abc import Sequence

import streamlit as st
from race import Runner

from dfn.data.info import DataInfo
from dfn.runs import launch
from dfn.runs.store import Run, RunError, Store
from dfn.words import _

MOVING = ("running", "waiting")


def show(store: Store, runners: Sequence[Runner], runs: Sequence[Run], states: Sequence[str], info: DataInfo) -> bool:
    """The buttons for these runs (none yet before the first Play). Returns whether anything is being trained."""
    moving = any(state in MOVING for state in states)
    over = len(states) == len(runners) and all(state == "done" for state in states)
    still = over or moving or not info.available
    with st.container(horizontal=True, vertical_alignment="center"):
        if moving:
            pressed = st.button(_("Pause"), type="primary", icon=":material/pause:", key="pause", shortcut="space")
        else:
            pressed = st.button(
                _("Go on") if runs and not over else _("Play"),
                type="primary",
                icon=":material/play_arrow:",
                key="play",
                shortcut="space",
                disabled=still,
            )
        step = st.button(_("Step batch"), key="step", shortcut="s", disabled=still)
        epoch = st.button(_("Step epoch"), key="epoch-step", shortcut="e", disabled=still)
        rewind = st.button(
            _("Rewind"),
            icon=":material/replay:",
            key="rewind",
            disabled=not runs,
            help=_("Back to the first weights. The same seed gives the same curve, to the last bit."),
        )
        stop = st.button(
            _("Stop"), icon=":material/stop:", key="stop", disabled=not moving, help=_("What was computed is kept.")
        )
    if not info.available:
        st.warning(
            _(
                "{title} is not on this machine yet. `dfn data fetch {name}` downloads it, or point DFN_DATA at a "
                "folder that holds the official files."
            ).format(title=_(info.title), name=info.name),
            icon=":material/download:",
        )
    try:
        if pressed and moving:
            launch.pause(runs)
        elif pressed or step or epoch:
            entered = [store.create(runner.recipe) for runner in runners]
            waiting = [run for run in entered if run.status().state != "done"]
            launch.play(waiting, until="step" if step else "epoch" if epoch else "end")
        elif rewind:
            with st.spinner(_("Rewinding")):
                launch.rewind(runs)
        elif stop:
            launch.stop(runs)
        else:
            return moving
    except RunError as error:
        st.error(_("This did not work: {error}.").format(error=error))
        return moving
    st.rerun()
