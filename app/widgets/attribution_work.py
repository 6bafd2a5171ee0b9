"""Work that may take a while: the answer is kept for everybody, one sees how far it is, and Stop stops it.

Streamlit ends a script that is wanted elsewhere at its next drawing, so every step that is shown is a place to stop.
Not inside a fragment, though: a fragment that is asked for again runs to its end before.
"""

import time
from collections.abc import Callable
from typing import TypeVar

import cached
import streamlit as st
from attribution_data import Asked, Tell

from dfn.words import _

Answer = TypeVar("Answer")

SHOWN_AFTER = 0.6  # seconds: what is done sooner should not flicker
EVERY = 0.1
_STOPPED = "attribution-stopped"


def answer(kind: str, asked: Asked, compute: Callable[[Tell], Answer], words: str, more: int = 0) -> Answer | None:
    """The answer, from the cache or from `compute`, which is told where to report; None where it was stopped."""
    question = (*asked.question, more)
    box, slot = cached.answer(kind, question), st.empty()  # a slot in any case, so that nothing moves
    if box:
        return box[0]
    key = f"{kind}-{'-'.join(map(str, question))}"
    stopped: set[str] = st.session_state.setdefault(_STOPPED, set())
    if key in stopped:
        with slot.container(horizontal=True, vertical_alignment="center"):
            st.caption(_("{what}: stopped.").format(what=words))
            st.button(_("Go on"), key=f"go-{key}", on_click=stopped.discard, args=(key,))
        return None
    begun = time.monotonic()
    told = 0.0
    bar = None

    def tell(done: int, expected: int) -> None:
        nonlocal told, bar
        now = time.monotonic()
        if now - begun < SHOWN_AFTER or now - told < EVERY:
            return
        told = now
        if bar is None:
            with slot.container(horizontal=True, vertical_alignment="center"):
                bar = st.progress(0.0, f"{words} ...", width="stretch")
                st.button(_("Stop"), key=f"stop-{key}", icon=":material/stop:", on_click=stopped.add, args=(key,))
        bar.progress(min(1.0, done / max(1, expected)), f"{words} ...")

    found = compute(tell)
    box.append(found)
    slot.empty()
    return found
