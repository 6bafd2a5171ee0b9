"""The chosen image beside its controls, as the net sees it: every pixel a square."""

from typing import TYPE_CHECKING

import cached
import streamlit as st
from flow_data import Asked
from image_words import caption
from picked import Picked

from dfn.words import _
from widgets import image_choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dfn.data import Dataset
    from dfn.runs.store import Run

SIDE = 96


def show(images: "Dataset", run: "Run", epoch: int) -> Picked:
    """Picture and controls; returns the image."""
    seen, controls = st.columns([1, 6], vertical_alignment="center")
    with controls:
        picked = image_choice.show(images, run, epoch)
    with seen:
        pixels = enlarged(picked, SIDE)
        st.image(pixels, width=pixels.shape[1], alt=caption(picked, images.classes), output_format="PNG")
    return picked


def asked(run: "Run", epoch: int, picked: Picked) -> tuple[Asked, str]:
    """The image with its class, or with the one that the net calls it where nobody knows it, and both in words."""
    if picked.label is not None:
        return ((picked, picked.label),), _("for this image")
    called = cached.called_class(str(run.folder), epoch, picked)
    name = cached.images_of(run).classes[called]
    return ((picked, called),), _("for this image and what the net calls it, {name}").format(name=name)


def enlarged(picked: Picked, side: int) -> "NDArray":
    """An image (rows, columns) or (rows, columns, 3), every pixel repeated until it is about `side` wide."""
    pixels = picked.array
    times = max(1, side // pixels.shape[0])
    large = pixels.repeat(times, 0).repeat(times, 1)
    return large[:, :, 0] if large.shape[2] == 1 else large
