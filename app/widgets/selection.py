"""The part of the selection that the pages about one net share: which fusion, which epoch. The address keeps both."""

from collections.abc import Sequence

import link
import lock
import streamlit as st

from dfn.insight.maps import Place
from dfn.words import _
from widgets import link_choice


def fusion(found: Sequence[Place]) -> int:
    """Which fusion (or tap), counted from 1; shared with the other pages."""
    numbers = list(range(1, len(found) + 1))
    why = _("a place that this net does not have; it has 1 to {last}").format(last=len(found))
    link.refuse("fusion", numbers, why)
    if st.session_state.get("fusion", 1) not in numbers:
        st.session_state["fusion"] = 1
    label = _("Fusion") if found[0].join else _("Place in the net")
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
        st.caption(_("Only the weights after epoch {number} were kept.").format(number=options[0]))
        return epochs[0]
    return int(link_choice.show(st.select_slider, _("Epoch"), options, "epoch", options[-1]))
