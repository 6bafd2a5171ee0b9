"""Which knobs a teacher's link has locked: `?lock=deep,seed` those two, `?lock=all` all but the free ones of the step.

A locked knob stands where it stood, disabled, with the value that the address gives it. What only looks (the scrubber
and the pinned place of the maps) is never locked.
"""

from collections.abc import Iterable

import link
import streamlit as st

from dfn.lessons.pages import KNOBS
from dfn.words import _

ALL = "all"


def read(free: Iterable[str]) -> None:
    """Read the address once a run, before the page draws its knobs; `free` are those that `all` leaves free."""
    names = [name for name in link.read("lock").split(",") if name]
    unknown = [name for name in names if name != ALL and name not in KNOBS]
    if unknown:
        known = [name for name in names if name not in unknown]
        text = _("The link locks something that is no knob of this lab. Knobs are {knobs}.")
        st.warning(text.format(knobs=", ".join(KNOBS)))
        link.write("lock", ",".join(known))
        names = known
    st.session_state["locked"] = set(KNOBS) - set(free) if ALL in names else set(names)


def on(knob: str) -> bool:
    """Whether this knob is locked."""
    return knob in st.session_state.get("locked", ())
