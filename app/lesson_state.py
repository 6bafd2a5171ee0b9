"""The knobs of a page as a lesson reads and sets them, whether a widget or the address keeps them. No drawing."""

from collections.abc import Mapping
from typing import Any

import cached
import streamlit as st

from dfn.lessons.pages import PAGES, RECORDED


def current(page: str) -> dict[str, Any]:
    """The value of every knob of this page, as it is now."""
    values: dict[str, Any] = {}
    for name, knob in PAGES.get(page, {}).items():
        slot = f"link-{name}" if knob.in_address else name
        said = st.session_state.get(slot) or (st.query_params.get(name) if slot not in st.session_state else None)
        value = knob.read(said) if said not in (None, "") else None
        values[name] = knob.default if value is None else value
    return values


def address(state: Mapping[str, Any]) -> dict[str, str | list[str]]:
    """A state of a page as the parameters of its address, with the ids of recorded runs in place of their words."""
    said: dict[str, str | list[str]] = {}
    for name, value in state.items():
        if name == "run" and value in RECORDED:
            value = recorded_id(value)
        said[name] = value if isinstance(value, list) else str(value)
    return said


def enter(page: str, state: Mapping[str, Any]) -> None:
    """Set every knob of a page before it is drawn: those of the state, and the others to their defaults. An address
    alone would not do, as widgets that are on show keep their own value."""
    said = address(state)
    for name, knob in PAGES[page].items():
        if knob.in_address:
            st.session_state[f"link-{name}"] = said.get(name, "")
        elif (value := state.get(name, knob.default)) is not None:
            st.session_state[name] = value
        else:
            st.session_state.pop(name, None)


def open_page(page: str, state: Mapping[str, Any], **named: str) -> None:
    """Go to a page in a state; `named` is what the address says besides. What a widget is bound to is set, and not
    written into the address: Streamlit refuses that while the widget is on show."""
    enter(page, state)
    held = {name: value for name, value in state.items() if PAGES[page][name].in_address}
    st.switch_page(f"app_pages/{page}.py", query_params=address(held) | named)


def recorded_id(word: str) -> str:
    """The id of a run that comes with the lab, from one of the words for it."""
    return next((run.id for _, role, run in cached.recorded_race() if role == RECORDED[word]), "")
