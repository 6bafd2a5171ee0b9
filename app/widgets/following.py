"""A page about a run that is being trained follows it: what a new epoch brings appears by itself."""

import streamlit as st
from runs_data import LIVING

from dfn.runs.run import Run
from dfn.words import _

EVERY = 2.0


def show(run: Run, epochs: list[int]) -> None:
    """Below all else on the page: a line for a run in training. The page is drawn again when the run has kept the
    weights of another epoch than `epochs`, and once more when it ends; in between nothing moves."""
    if run.status().state in LIVING:
        st.fragment(_look, run_every=EVERY)(run, epochs)


def _look(run: Run, epochs: list[int]) -> None:
    if list(run.snapshots()) != epochs or run.status().state not in LIVING:
        st.rerun()
    st.caption(_("This run is being trained: new epochs appear by themselves."))
