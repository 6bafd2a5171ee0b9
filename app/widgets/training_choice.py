"""How to train, without a seed and without rivals: preset, epochs, and how much of a larger data set."""

from typing import Any

import link
import lock
import streamlit as st

from dfn.data.info import DataInfo
from dfn.training.recipe import PRESETS
from dfn.words import _

FEW = 5000
AMOUNTS = {"1000": 1000, "5000": 5000, "10000": 10_000, "all": None}


def show(info: DataInfo) -> dict[str, Any]:
    """The settings that all nets share; the address carries them to the Train page and back."""
    names = list(PRESETS)
    preset = st.selectbox(
        _("Recipe"),
        names,
        key="preset",
        disabled=lock.on("preset"),
        bind="query-params",
        help="\n\n".join(f"`{name}` **{_(p.title)}**: {_(p.source)}." for name, p in PRESETS.items()),
    )
    settings = dict(PRESETS[preset if preset in PRESETS else names[0]].settings)
    epochs = st.number_input(
        _("Epochs"),
        min_value=1,
        max_value=10_000,
        value=None,
        placeholder=_("{epochs}, as the recipe says").format(epochs=settings["epochs"]),
        key="epochs",
        disabled=lock.on("epochs"),
        bind="query-params",
    )
    if epochs:
        settings["epochs"] = min(max(int(epochs), 1), 10_000)
    return settings | _images(info) | {"data": info.name}


def _images(info: DataInfo) -> dict[str, Any]:
    """For the larger sets how many images, and at what size; the first so many of a fixed order."""
    if info.train_size <= FEW:
        return {}
    amounts = [name for name, count in AMOUNTS.items() if (count or 0) < info.train_size]
    side = info.shape[1]
    why = _("a number of training images that is not offered; there are {amounts}")
    link.refuse("images", amounts, why.format(amounts=", ".join(amounts)))
    why = _("a size that is not offered here; there are {half} or {side} pixels")
    link.refuse("pixels", (side // 2, side), why.format(half=side // 2, side=side))
    limit = st.segmented_control(
        _("Training images"),
        amounts,
        default="5000",
        key="images",
        disabled=lock.on("images"),
        bind="query-params",
        required=True,
    )
    size = st.segmented_control(
        _("Pixels"),
        [side // 2, side],
        default=side // 2,
        key="pixels",
        disabled=lock.on("pixels"),
        bind="query-params",
        required=True,
        help=_("Pixels along a side. Half of them train about four times as fast."),
    )
    count = AMOUNTS.get(limit)
    chosen = {"train_limit": count, "test_limit": max(500, count // 5)} if count else {}
    return chosen | ({"size": size} if size == side // 2 else {})
