"""A choice among words that the page's address keeps; what is not to be had falls back with one sentence."""

from collections.abc import Callable, Sequence
from typing import Any

import link
import lock
import streamlit as st

from dfn.words import _


def show(
    draw: Callable[..., Any],
    label: str,
    options: Sequence[str],
    key: str,
    default: str,
    words: Callable[[str], str] = str,
    of: str = "",
    **more: Any,
) -> str:
    """Draw `st.pills`, `st.selectbox` or the like over the options; the address has `key` only where it is not the
    default. `of` names the page, where two pages have different things under one key."""
    said = link.read(key, of)
    if said and said not in options:
        text = _("The link names a choice of “{label}” that is not to be had here. This is: {default}.")
        st.warning(text.format(label=label, default=words(default)))
        link.write(key, "", of)
        said = ""
    value = said or default
    slot = f"{key}-choice"
    link.give(slot, value)
    draw(
        label,
        options,
        key=slot,
        format_func=words,
        on_change=_take,
        args=(key, default, of),
        disabled=lock.on(key),
        **more,
    )
    return value


def _take(key: str, default: str, of: str) -> None:
    value = st.session_state[f"{key}-choice"]
    link.write(key, "" if value in (default, None) else value, of)
