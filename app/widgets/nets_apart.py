"""The maps of the base networks that were trained unfused, beside what the fused net has at the same place."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import cached
import streamlit as st
from maps_data import run_with_maps, trained_apart
from picked import Picked
from runs_data import train_link

from dfn.insight.maps import Stack
from dfn.insight.maps_view import encode
from dfn.training.recipe import Recipe
from dfn.words import _, ngettext
from widgets import view
from widgets.view import figure


@dataclass(frozen=True, eq=False)
class Net:
    """One net at the place that is compared: the folder of its run, the map's name in its trace, and the map (channels,
    rows, columns) of the image by epoch; a net that was not trained has none."""

    label: str
    role: str
    folder: str
    at: str
    maps: Mapping[int, Stack]


def find(recipe: Recipe, picked: Picked, number: int, shape: Sequence[int]) -> list[Net]:
    """The deep and the shallow base trained alone, with their maps of the image at place `number`. `shape` is that
    of the joined map there. Raises ValueError for a run that cannot be read."""
    found: list[Net] = []
    for runner in trained_apart(recipe):
        shown = run_with_maps(runner.recipe.id, cached.RECORDED)
        folder, maps = "", {}
        if shown:
            folder, epochs = str(shown.run.folder), tuple(shown.run.snapshots())
            stacks, _probabilities = cached.image_maps(folder, epochs, picked)
            stack = stacks.get(f"block{number}")
            if stack is not None and stack.shape[1:] == tuple(shape):
                maps = dict(zip(epochs, stack, strict=True))
        found.append(Net(runner.label, runner.role, folder, f"block{number}", maps))
    return found


def show(apart: Sequence[Net], fused: Net, recipe: Recipe, epoch: int, settings: Mapping[str, Any], key: str) -> None:
    """Draw them beside the joined maps at the last common epoch up to `epoch`, say how alike they are over many images,
    and what is missing."""
    if not apart:
        return
    st.header(_("The same place in the same nets, trained apart"), anchor=False)
    nets = [*apart, fused]
    trained = [net for net in nets if net.maps]
    common = sorted(set.intersection(*(set(net.maps) for net in trained)))
    missing = [net.label for net in nets if not net.maps]
    if common and len(trained) > 1:
        at = max((kept for kept in common if kept <= epoch), default=common[0])
        channels, height, width = fused.maps[at].shape
        panels = [
            {"id": net.label, "title": net.label, "role": net.role, "missing": not net.maps}
            | {"note": _("not trained yet")}
            | ({"data": encode(net.maps[at][None])} if net.maps else {})
            for net in nets
        ]
        data = {"height": height, "width": width, "channels": channels, "epochs": [at], "epoch": at}
        data |= {"panels": panels, "operators": ["", ""], "arithmetic": None, "scrubber": False, "signed": True}
        with st.container(border=True):
            view.show("maps", {**data, **settings}, key=key)
        text = _("After epoch {epoch}: the same seed, images and order, on the scale of the maps above.")
        st.caption(text.format(epoch=at))
        _alike(trained, at)
    if missing:
        first, *more = missing
        named = _("{one} and {other}").format(one=first, other=more[0]) if more else first
        text = ngettext(
            "**{nets}** has not been trained with this recipe and seed.",
            "**{nets}** have not been trained with this recipe and seed.",
            len(missing),
        )
        st.markdown(text.format(nets=named))
        label = _("Train {nets}").format(nets=named)
        address = train_link(recipe)
        st.page_link("app_pages/train.py", label=label, icon=":material/show_chart:", query_params=address)


def _alike(nets: Sequence[Net], epoch: int) -> None:
    """A card for every two nets: the centred kernel alignment of their maps."""
    pairs = list(combinations(reversed(nets), 2))
    images = 0
    for column, (one, other) in zip(st.columns(3), pairs, strict=False):
        found = cached.alike((one.folder, epoch, one.at), (other.folder, epoch, other.at))
        images = found.images
        about = _("With the images of one net shuffled it reads {value}: so much is not likeness.")
        about = about.format(value=_two_places(found.shuffled))
        name = _("alignment of {one} and {other}").format(one=one.label, other=other.label)
        with column:
            figure(_two_places(found.value), name, about)
    st.caption(
        _(
            "Linear centred kernel alignment over {images} test images asks whether the same images look alike to both "
            "nets: 1 where one map is the other up to rotation and scale. Channels of nets trained apart have no "
            "common order, so their maps cannot be subtracted. It reads too high where the images are few beside the "
            "values of a map, and it does not say which net is right (arXiv 1905.00414)."
        ).format(images=images)
    )


def _two_places(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else "–"
