"""The chosen test image beside its controls, as the net sees it: every pixel a square."""

from typing import TYPE_CHECKING

import streamlit as st

from widgets import image_choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dfn.data import Dataset
    from dfn.runs.store import Run

SIDE = 96


def show(images: "Dataset", run: "Run", epoch: int) -> int:
    """Picture and controls; returns the number of the image in the test split."""
    seen, controls = st.columns([1, 6], vertical_alignment="center")
    with controls:
        index = image_choice.show(images, run, epoch)
    name = images.classes[int(images.test.labels[index])]
    with seen:
        pixels = enlarged(images, index, SIDE)
        st.image(pixels, width=pixels.shape[1], alt=f"Test image {index}, {name}", output_format="PNG")
    return index


def enlarged(images: "Dataset", index: int, side: int) -> "NDArray":
    """A test image (rows, columns) or (rows, columns, 3), every pixel repeated until it is about `side` wide."""
    pixels = images.test.images[index].permute(1, 2, 0).numpy()
    times = max(1, side // pixels.shape[0])
    large = pixels.repeat(times, 0).repeat(times, 1)
    return large[:, :, 0] if large.shape[2] == 1 else large
