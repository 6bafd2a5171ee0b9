"""State that no single widget holds, kept in the page's address: a copied address brings it back.

What the address says wins whenever it changed (a pasted link, the browser's back button); otherwise the session
remembers, because going to another page empties the address.
"""

from collections.abc import Collection
from contextlib import suppress
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from dfn.lessons.pages import KNOBS, PAGES, Knob
from dfn.words import _

LONGEST = 400
OTHERS = ("lang", "word", "lesson", "step", "lock")
# lists of runs and of images, and the Methods page, which no lesson sets
OTHERS += ("find", "of-state", "of-images", "of-net", "order", "part", "picked", "answer")
OTHERS += ("families", "size")
OTHERS += ("embed", "embed_options")  # Streamlit's own


def read(key: str, of: str = "") -> str:
    """What the address says under this key, empty where it says nothing. `of` names the page, where two pages have
    different things under one key."""
    slot = _slot(key, of)
    said = st.query_params.get(key)
    if said is not None:
        st.session_state[slot] = said[:LONGEST]
    elif st.session_state.get(slot):
        st.query_params[key] = st.session_state[slot]
    return st.session_state.get(slot, "")


def write(key: str, value: str, of: str = "") -> None:
    """Put a value into the address, or take the key away where it is empty."""
    st.session_state[_slot(key, of)] = value
    if value:
        st.query_params[key] = value
    else:
        st.query_params.pop(key, None)


def give(slot: str, value: Any) -> None:
    """Give a widget the value that the address has, where it has another: one that is set in every run comes back to
    the browser late, and undoes what was done there meanwhile."""
    if st.session_state.get(slot) != value:
        st.session_state[slot] = value


def check(page: str) -> None:
    """Say what the address names that no page knows, or that no knob of this page accepts, and leave it out; read
    before the widgets, which would drop it without a word. What the address alone keeps is said where it is read."""
    knobs, known = PAGES.get(page, {}), st.session_state.setdefault("link-refused", {})
    for key in list(st.query_params):
        said = st.query_params.get_all(key)
        if known.get(key) == said:  # said before; the widget that has it keeps its own value
            continue
        known.pop(key, None)
        if key not in KNOBS and key not in OTHERS:
            st.warning(_("The link names something that no page of this lab knows; it is left out."))
            _drop(key)
        elif key in knobs and not knobs[key].in_address and any(said) and not _accepts(knobs[key], said):
            text = _("The link names a “{key}” that is not accepted; accepted: {accepted}.")
            st.warning(text.format(key=key, accepted=_(knobs[key].accepted)))
            known[key] = said
            _drop(key)


def refuse(key: str, accepted: Collection[Any], words: str) -> None:
    """Say that the address names something which the knob accepts, but which this very net or data set does not have;
    asked before the widget that would drop it."""
    said = st.query_params.get(key)
    if said and KNOBS[key].read(said) is not None and said not in map(str, accepted):
        st.warning(_("The link names {what}.").format(what=words))
        _drop(key)


def _accepts(knob: Knob, said: list[str]) -> bool:
    return knob.read(said if isinstance(knob.default, list) else said[-1]) is not None


def _drop(key: str) -> None:
    with suppress(StreamlitAPIException):  # a widget that is on show has it, and drops it by itself
        st.query_params.pop(key, None)


def _slot(key: str, of: str) -> str:
    return f"link-{of}-{key}" if of else f"link-{key}"
