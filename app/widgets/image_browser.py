"""Test images as small pictures: by class, by right and wrong, by how sure the net is; a click or Enter takes one."""

from typing import TYPE_CHECKING, Any

import cached
import numpy as np
import streamlit as st
from browse_data import ANSWERS, ORDERS, Judged, candidates, sheet, tiles
from maps_data import IMAGES_AT_ONCE

from dfn.words import N_, _, ngettext
from widgets import link_choice, view

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.runs.store import Run

KEY = "image-tiles"
MOST_JUDGED = 1000
MOST_SHOWN = 96
COLUMNS = 12
_ANSWERS = {"all": N_("all"), "right": N_("right"), "wrong": N_("wrong")}
_ORDERED = {"number": N_("by number"), "surest": N_("surest first"), "least": N_("least sure first")}


def taken() -> int | None:
    """The number of the image that was just picked; asked before the widgets that show it."""
    number = ((st.session_state.get(view.drawn_as(KEY)) or {}).get("select") or {}).get("id")
    return number if isinstance(number, int) else None


def show(images: "Dataset", run: "Run", epoch: int, of_class: int | None, selected: int) -> None:
    """An expander with the pictures; what it needs is computed when it is opened."""
    box = st.expander(
        _("Browse the test images"), icon=":material/photo_library:", key="image-browse", on_change="rerun"
    )
    if not box.open:
        return
    count = min(MOST_JUDGED, len(images.test))
    with box:
        with st.container(horizontal=True):
            answer = link_choice.show(
                st.pills, _("The net is"), ANSWERS, "answer", "all", lambda word: _(_ANSWERS[word]), required=True
            )
            order = link_choice.show(
                st.pills, _("Order"), ORDERS, "order", "number", lambda word: _(_ORDERED[word]), required=True
            )
        judged = _judged(str(run.folder), epoch, images, count)
        numbers = candidates(judged, of_class, answer, order)
        shown = numbers[:MOST_SHOWN]
        if not shown:
            text = _("After epoch {epoch} there is no such image among the first {count:,}.")
            st.caption(text.format(epoch=epoch, count=count))
            return
        title = _found(len(numbers), answer, of_class is not None)
        title = title.format(count=len(numbers), epoch=epoch, name=images.classes[of_class or 0])
        if len(shown) < len(numbers):
            title = _("{title}; the first {count} are here").format(title=title, count=len(shown))
        if count < len(images.test):
            text = _("{title} (looked for among the first {count:,} of {all:,})")
            title = text.format(title=title, count=count, all=len(images.test))
        data: dict[str, Any] = {"title": title, "columns": COLUMNS, "selected": selected}
        data |= {"tiles": tiles(shown, judged, images.classes)}
        data |= {"sheet": sheet(images.test.images[shown].numpy(), COLUMNS)}
        view.show("tiles", data, key=KEY)


def _found(count: int, answer: str, of_class: bool) -> str:
    """What was found, whole sentences for all that can be asked; numbers and the class `name` come in afterwards."""
    match answer, of_class:
        case "right", True:
            return ngettext(
                "{count:,} test image of class {name} that the net gets right after epoch {epoch}",
                "{count:,} test images of class {name} that the net gets right after epoch {epoch}",
                count,
            )
        case "wrong", True:
            return ngettext(
                "{count:,} test image of class {name} that the net gets wrong after epoch {epoch}",
                "{count:,} test images of class {name} that the net gets wrong after epoch {epoch}",
                count,
            )
        case _, True:
            return ngettext(
                "{count:,} test image of class {name} after epoch {epoch}",
                "{count:,} test images of class {name} after epoch {epoch}",
                count,
            )
        case "right", False:
            return ngettext(
                "{count:,} test image that the net gets right after epoch {epoch}",
                "{count:,} test images that the net gets right after epoch {epoch}",
                count,
            )
        case "wrong", False:
            return ngettext(
                "{count:,} test image that the net gets wrong after epoch {epoch}",
                "{count:,} test images that the net gets wrong after epoch {epoch}",
                count,
            )
    return ngettext("{count:,} test image after epoch {epoch}", "{count:,} test images after epoch {epoch}", count)


def _judged(folder: str, epoch: int, images: "Dataset", count: int) -> Judged:
    parts = [cached.calls(folder, epoch, part) for part in range(-(-count // IMAGES_AT_ONCE))]
    called, sure = (np.concatenate(column)[:count] for column in zip(*parts, strict=True))
    return Judged(images.test.labels[:count].numpy(), called, sure)
