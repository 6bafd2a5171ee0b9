"""Test images as small pictures: by class, by right and wrong, by how sure the net is; a click or Enter takes one."""

from typing import TYPE_CHECKING, Any

import cached
import numpy as np
import streamlit as st
from browse_data import ANSWERS, ORDERS, Judged, candidates, sheet, tiles
from maps_data import IMAGES_AT_ONCE

from widgets import link_choice, view
from widgets.words import plural

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.runs.store import Run

KEY = "image-tiles"
MOST_JUDGED = 1000
MOST_SHOWN = 96
COLUMNS = 12
_ORDERED = {"number": "by number", "surest": "surest first", "least": "least sure first"}


def taken() -> int | None:
    """The number of the image that was just picked; asked before the widgets that show it."""
    number = ((st.session_state.get(KEY) or {}).get("select") or {}).get("id")
    return number if isinstance(number, int) else None


def show(images: "Dataset", run: "Run", epoch: int, of_class: int | None, selected: int) -> None:
    """An expander with the pictures; what it needs is computed when it is opened."""
    box = st.expander("Browse the test images", icon=":material/photo_library:", key="image-browse", on_change="rerun")
    if not box.open:
        return
    count = min(MOST_JUDGED, len(images.test))
    with box:
        with st.container(horizontal=True):
            answer = link_choice.show(st.pills, "The net is", ANSWERS, "answer", "all", required=True)
            order = link_choice.show(st.pills, "Order", ORDERS, "order", "number", _ORDERED.__getitem__, required=True)
        judged = _judged(str(run.folder), epoch, images, count)
        numbers = candidates(judged, of_class, answer, order)
        shown = numbers[:MOST_SHOWN]
        if not shown:
            st.caption(f"After epoch {epoch} there is no such image among the first {count:,}.")
            return
        of = f" of class {images.classes[of_class]}" if of_class is not None else ""
        kind = "" if answer == "all" else f" that the net gets {answer}"
        part = f"; the first {len(shown)} are here" if len(shown) < len(numbers) else ""
        title = f"{plural(len(numbers), 'test image')}{of}{kind} after epoch {epoch}{part}"
        if count < len(images.test):
            title += f" (looked for among the first {count:,} of {len(images.test):,})"
        data: dict[str, Any] = {"title": title, "columns": COLUMNS, "selected": selected}
        data |= {"tiles": tiles(shown, judged, images.classes)}
        data |= {"sheet": sheet(images.test.images[shown].numpy(), COLUMNS)}
        view.show("tiles", data, key=KEY)


def _judged(folder: str, epoch: int, images: "Dataset", count: int) -> Judged:
    parts = [cached.calls(folder, epoch, part) for part in range(-(-count // IMAGES_AT_ONCE))]
    called, sure = (np.concatenate(column)[:count] for column in zip(*parts, strict=True))
    return Judged(images.test.labels[:count].numpy(), called, sure)
