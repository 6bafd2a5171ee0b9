"""The maps of the base networks that were trained unfused, at the place of one fusion."""

from collections.abc import Mapping, Sequence
from typing import Any

import cached
import numpy as np
import streamlit as st
from maps_data import run_with_maps, trained_apart
from race import Runner
from runs_data import train_link

from dfn.insight.maps import Stack, encode
from dfn.training.recipe import Recipe
from widgets import view

Apart = list[tuple[Runner, dict[int, Stack] | None]]


def find(recipe: Recipe, index: int, number: int, shape: Sequence[int]) -> Apart:
    """For the deep and the shallow base trained alone, its maps (channels, rows, columns) of the test image by epoch,
    where it was trained. `shape` is that of the joined map of fusion `number`. Raises ValueError for a damaged run."""
    found: Apart = []
    for runner in trained_apart(recipe):
        shown = run_with_maps(runner.recipe.id, cached.RECORDED)
        maps = None
        if shown:
            epochs = tuple(shown.run.snapshots())
            stacks, _ = cached.image_maps(str(shown.run.folder), epochs, index)
            stack = stacks.get(f"block{number}")
            if stack is not None and stack.shape[1:] == tuple(shape):
                maps = dict(zip(epochs, stack, strict=True))
        found.append((runner, maps))
    return found


def show(apart: Apart, recipe: Recipe, epoch: int, settings: Mapping[str, Any], key: str) -> None:
    """Draw them beside each other at the last common epoch up to `epoch`, and say which are missing."""
    if not apart:
        return
    st.subheader("The same place in the same nets, trained apart", anchor=False)
    there = [(runner, maps) for runner, maps in apart if maps]
    common = sorted(set.intersection(*(set(maps) for _, maps in there))) if there else []
    if common:
        at = max((kept for kept in common if kept <= epoch), default=common[0])
        channels, height, width = there[0][1][at].shape
        panels = [
            {"id": runner.role, "title": runner.label, "role": runner.role}
            | {"data": encode(np.stack([maps[kept] for kept in common]))}
            for runner, maps in there
        ]
        data = {"height": height, "width": width, "channels": channels, "epochs": common, "epoch": at}
        data |= {"panels": panels, "operators": [""] * (len(panels) - 1), "arithmetic": None, "scrubber": False}
        with st.container(border=True):
            view.show("maps", {**data, **settings}, key=key)
        st.caption(f"After epoch {at}: same seed, same images in the same order, same scale as above, but no fusion.")
    missing = [runner.label for runner, maps in apart if not maps]
    if missing:
        named = " and ".join(missing)
        st.markdown(f"**{named}** {'has' if len(missing) == 1 else 'have'} not been trained with this recipe and seed.")
        address = train_link(recipe)
        st.page_link("app_pages/train.py", label=f"Train {named}", icon=":material/show_chart:", query_params=address)
