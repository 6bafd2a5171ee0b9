"""The maps of the base networks that were trained unfused, beside what the fused net has at the same place."""

from collections.abc import Mapping, Sequence
from typing import Any

import cached
import streamlit as st
from maps_data import run_with_maps, trained_apart
from picked import Picked
from race import Runner
from runs_data import train_link

from dfn.insight.maps import Stack, encode
from dfn.training.recipe import Recipe
from widgets import view

Apart = list[tuple[Runner, dict[int, Stack]]]


def find(recipe: Recipe, picked: Picked, number: int, shape: Sequence[int]) -> Apart:
    """For the deep and the shallow base trained alone, its maps (channels, rows, columns) of the image by epoch;
    none where it was not trained. `shape` is that of the joined map of fusion `number`. Raises ValueError for a run
    that cannot be read."""
    found: Apart = []
    for runner in trained_apart(recipe):
        shown = run_with_maps(runner.recipe.id, cached.RECORDED)
        maps: dict[int, Stack] = {}
        if shown:
            epochs = tuple(shown.run.snapshots())
            stacks, _ = cached.image_maps(str(shown.run.folder), epochs, picked)
            stack = stacks.get(f"block{number}")
            if stack is not None and stack.shape[1:] == tuple(shape):
                maps = dict(zip(epochs, stack, strict=True))
        found.append((runner, maps))
    return found


def show(
    apart: Apart, joined: dict[int, Stack], recipe: Recipe, epoch: int, settings: Mapping[str, Any], key: str
) -> None:
    """Draw them beside the joined maps (by epoch) at the last common epoch up to `epoch`, and say what is missing."""
    if not apart:
        return
    st.subheader("The same place in the same nets, trained apart", anchor=False)
    nets = [(runner.label, runner.role, maps) for runner, maps in apart]
    nets.append((recipe.label, "fused", joined))
    common = sorted(set.intersection(*(set(maps) for *_, maps in nets if maps)))
    missing = [label for label, _, maps in nets if not maps]
    if common and len(missing) < len(apart):
        at = max((kept for kept in common if kept <= epoch), default=common[0])
        channels, height, width = joined[at].shape
        panels = [
            {"id": role, "title": label, "role": role, "missing": not maps, "note": "not trained yet"}
            | ({"data": encode(maps[at][None])} if maps else {})
            for label, role, maps in nets
        ]
        data = {"height": height, "width": width, "channels": channels, "epochs": [at], "epoch": at}
        data |= {"panels": panels, "operators": ["", ""], "arithmetic": None, "scrubber": False, "signed": True}
        with st.container(border=True):
            view.show("maps", {**data, **settings}, key=key)
        st.caption(f"After epoch {at}: the same seed, images and order, on the scale of the maps above.")
    if missing:
        named = " and ".join(missing)
        st.markdown(f"**{named}** {'has' if len(missing) == 1 else 'have'} not been trained with this recipe and seed.")
        address = train_link(recipe)
        st.page_link("app_pages/train.py", label=f"Train {named}", icon=":material/show_chart:", query_params=address)
