"""Which image: a test image of the run's data set, a photograph, or one of the reader's own."""

from typing import TYPE_CHECKING, Any

import cached
import link
import lock
import streamlit as st
from maps_data import IMAGES_AT_ONCE
from picked import OWN, PHOTOGRAPHS, Picked, numbered_image

from dfn.words import N_, _
from widgets import image_browser, link_choice, own_image

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.runs.store import Run

KEY = "image"
TEST = "test"
ANY = N_("any class")
_SOURCES = {TEST: N_("test image"), **PHOTOGRAPHS, OWN: N_("your own")}
_STEPS = ((N_("Previous"), -1), (N_("Next"), 1))


def show(images: "Dataset", run: "Run", epoch: int) -> Picked:
    """The controls; returns the image. `epoch` decides what counts as wrong."""
    source = link_choice.show(
        st.pills, _("Image"), list(_SOURCES), "source", TEST, lambda source: _(_SOURCES[source]), required=True,
        help=_("A test image of the run's data set, one of scikit-learn's photographs, or an image of your own."),
    )  # fmt: skip
    if source in PHOTOGRAPHS:
        return own_image.photograph(source, images)
    if source == OWN:
        picked = own_image.own(images)
        if picked:
            return picked
        st.caption(_("Until then this is test image {number}.").format(number=_now(len(images.test))))
        return numbered_image(images, _now(len(images.test)))
    return numbered_image(images, _number(images, run, epoch))


def _number(images: "Dataset", run: "Run", epoch: int) -> int:
    """The number of a test image: by itself, as the next one of a kind, or picked among small pictures."""
    count = len(images.test)
    why = _("an image that is not there; the test split has images 0 to {last:,}")
    link.refuse(KEY, range(count), why.format(last=count - 1))
    taken = image_browser.taken()
    if taken in range(count):
        st.session_state[KEY] = taken
    elif not 0 <= int(st.session_state.get(KEY, 0) or 0) < count:
        st.session_state[KEY] = 0
    classes = [ANY, *images.classes]
    if st.session_state.get("image-class") not in classes:
        st.session_state["image-class"] = ANY
    fixed = lock.on(KEY)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        index = st.number_input(
            _("Test image"),
            0,
            count - 1,
            key=KEY,
            bind="query-params",
            persist_state="session",
            width=150,
            disabled=fixed,
        )
        st.selectbox(
            _("Of class"),
            classes,
            key="image-class",
            format_func=lambda name: _(ANY) if name == ANY else name,
            persist_state="session",
            width=170,
        )
        for words, by in _STEPS:
            st.button(_(words), key=f"image-{words}", on_click=_step, args=(images, by), disabled=fixed)
        st.button(
            _("Next wrong"),
            key="image-wrong",
            disabled=fixed,
            on_click=_next_wrong,
            args=(images, run, epoch),
            help=_("The next test image that the net gets wrong after epoch {epoch}.").format(epoch=epoch),
        )
    if st.session_state.pop("image-none", False):
        st.caption(_("After epoch {epoch} the net gets no such test image wrong.").format(epoch=epoch))
    number = min(max(int(index or 0), 0), count - 1)
    image_browser.show(images, run, epoch, _class(images), number)
    return number


def _class(images: "Dataset") -> int | None:
    """The number of the chosen class, None for any."""
    chosen = st.session_state.get("image-class")
    return images.classes.index(chosen) if chosen in images.classes else None


def _of_class(images: "Dataset") -> Any:
    """The numbers of the images of the chosen class."""
    labels, wanted = images.test.labels, _class(images)
    return range(len(labels)) if wanted is None else (labels == wanted).nonzero()[:, 0].tolist()


def _step(images: "Dataset", by: int) -> None:
    """To the next (1) or the previous (-1) image of the class, round and round."""
    numbers = _of_class(images)
    now = _now(len(images.test))
    if by > 0:
        st.session_state[KEY] = next((n for n in numbers if n > now), numbers[0])
    else:
        st.session_state[KEY] = next((n for n in reversed(numbers) if n < now), numbers[-1])


def _next_wrong(images: "Dataset", run: "Run", epoch: int) -> None:
    now, numbers = _now(len(images.test)), _of_class(images)
    folder, labels = str(run.folder), images.test.labels
    later, earlier = [n for n in numbers if n > now], [n for n in numbers if n <= now]
    for number in [*later, *earlier]:
        part, place = divmod(number, IMAGES_AT_ONCE)
        if cached.calls(folder, epoch, part)[0][place] != labels[number]:
            st.session_state[KEY] = number
            return
    st.session_state["image-none"] = True


def _now(count: int) -> int:
    """The number of the test image that was chosen last, the first one where there is none such."""
    number = int(st.session_state.get(KEY) or 0)
    return number if 0 <= number < count else 0
