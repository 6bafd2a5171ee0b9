"""What this session knows of runs while these are being trained, shared by its pages. No drawing here."""

import streamlit as st

from dfn.runs.progress import Progress
from dfn.runs.run import Run


def read(run: Run) -> Progress:
    """What is known of a run, brought up to date."""
    known = st.session_state.setdefault("progress", {}).setdefault(str(run.folder), Progress())
    known.update(run)
    return known
