"""Which test image: by its number, which is part of the page's address, or the next one of a kind."""

from typing import TYPE_CHECKING, Any

import cached
import link
import lock
import streamlit as st
from maps_data import IMAGES_AT_ONCE

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.runs.store import Run

KEY = "image"
ANY = "any class"


def show(images: "Dataset", run: "Run", epoch: int) -> int:
    """The controls; returns the number of the image in the test split. `epoch` decides what counts as wrong."""
    count = len(images.test)
    if link.refused(KEY, [str(number) for number in range(count)]):
        st.warning(f"The link names an image that is not there; the test split has images 0 to {count - 1:,}.")
    if not 0 <= int(st.session_state.get(KEY, 0) or 0) < count:
        st.session_state[KEY] = 0
    classes = [ANY, *images.classes]
    if st.session_state.get("image-class") not in classes:
        st.session_state["image-class"] = ANY
    fixed = lock.on(KEY)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        index = st.number_input(
            "Test image",
            0,
            count - 1,
            key=KEY,
            bind="query-params",
            persist_state="session",
            width=150,
            disabled=fixed,
        )
        st.selectbox("Of class", classes, key="image-class", persist_state="session", width=170)
        for words, by in (("Previous", -1), ("Next", 1)):
            st.button(words, key=f"image-{words}", on_click=_step, args=(images, by), disabled=fixed)
        st.button(
            "Next wrong",
            key="image-wrong",
            disabled=fixed,
            on_click=_next_wrong,
            args=(images, run, epoch),
            help=f"The next test image that the net gets wrong after epoch {epoch}.",
        )
    if st.session_state.pop("image-none", False):
        st.caption(f"After epoch {epoch} the net gets no such test image wrong.")
    return min(max(int(index or 0), 0), count - 1)


def _of_class(images: "Dataset") -> Any:
    """The numbers of the images of the chosen class."""
    labels = images.test.labels
    chosen = st.session_state.get("image-class")
    if chosen in images.classes:
        return (labels == images.classes.index(chosen)).nonzero()[:, 0].tolist()
    return range(len(labels))


def _step(images: "Dataset", by: int) -> None:
    """To the next (1) or the previous (-1) image of the class, round and round."""
    now, numbers = _now(), _of_class(images)
    if by > 0:
        st.session_state[KEY] = next((n for n in numbers if n > now), numbers[0])
    else:
        st.session_state[KEY] = next((n for n in reversed(numbers) if n < now), numbers[-1])


def _next_wrong(images: "Dataset", run: "Run", epoch: int) -> None:
    now, numbers = _now(), _of_class(images)
    folder, labels = str(run.folder), images.test.labels
    later, earlier = [n for n in numbers if n > now], [n for n in numbers if n <= now]
    for number in [*later, *earlier]:
        part, place = divmod(number, IMAGES_AT_ONCE)
        if cached.called(folder, epoch, part)[place] != labels[number]:
            st.session_state[KEY] = number
            return
    st.session_state["image-none"] = True


def _now() -> int:
    return int(st.session_state.get(KEY) or 0)
