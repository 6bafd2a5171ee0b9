"""What a page shows, from Python: the snippet that gives the same numbers, with a button that copies it."""

from collections.abc import Callable

import streamlit as st

from dfn.words import _


def show(code: Callable[[], str], key: str) -> bool:
    """An expander with the code, which is written when it is opened; returns whether it is."""
    box = st.expander(_("The same from Python"), icon=":material/code:", key=f"{key}-code", on_change="rerun")
    if box.open:
        box.code(code(), language="python")
    return bool(box.open)
