"""The part of the selection that the pages about one net share: which fusion, which epoch. The address keeps both."""

from collections.abc import Sequence

import link
import lock
import streamlit as st

from dfn.insight.maps import Place
from widgets import link_choice


def fusion(found: Sequence[Place]) -> int:
    """Which fusion (or tap), counted from 1; shared with the other pages."""
    numbers = list(range(1, len(found) + 1))
    link.refuse("fusion", numbers, f"a place that this net does not have; it has 1 to {len(found)}")
    if st.session_state.get("fusion", 1) not in numbers:
        st.session_state["fusion"] = 1
    label = "Fusion" if found[0].join else "Place in the net"
    number = st.pills(
        label,
        numbers,
        default=1,
        key="fusion",
        bind="query-params",
        persist_state="session",
        required=True,
        disabled=lock.on("fusion"),
    )
    return number if number in numbers else 1


def epoch(epochs: Sequence[int]) -> int:
    """The epoch that the address names, the last one where it names none; shared with the other pages."""
    options = [str(number) for number in epochs]
    if len(options) == 1:
        st.caption(f"Only the weights after epoch {options[0]} were kept.")
        return epochs[0]
    return int(link_choice.show(st.select_slider, "Epoch", options, "epoch", options[-1]))
