"""State that no single widget holds, kept in the page's address: a copied address brings it back.

What the address says wins whenever it changed (a pasted link, the browser's back button); otherwise the session
remembers, because going to another page empties the address.
"""

import streamlit as st

LONGEST = 400


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


def refused(key: str, accepted: list[str]) -> bool:
    """Whether the address names something that is not to be had; asked before the widget that would drop it."""
    said = st.query_params.get(key)
    return bool(said) and said not in accepted


def _slot(key: str, of: str) -> str:
    return f"link-{of}-{key}" if of else f"link-{key}"
