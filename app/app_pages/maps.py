"""Maps: what the deep block, the shallow block and their fusion make of one image, epoch by epoch."""

import re
from typing import Any

import cached
import link
import lock
import streamlit as st
from image_words import verdict
from runs_data import LIVING
from widgets import image_choice, map_numbers, nets_apart, run_choice, selection, view

from dfn.design.spec import to_json
from dfn.insight.maps import Place, Stack, places, reach, view_data
from dfn.runs.run import Run

SCALES = {
    "shared": "One scale for all maps on show, over all epochs: what looks stronger is stronger.",
    "per map": "Every map fills the scale by itself: faint patterns show, but strengths cannot be compared.",
    "whole net": "One scale for all fusions of the net: shows where on the way the values are large.",
}
POSITION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})")
PIXELS = 112
EVERY = 2.0


def take_events(key: str, epochs: list[int]) -> None:
    """What was just done in the view goes into the address."""
    event = st.session_state.get(key) or {}
    if event.get("epoch") in epochs:
        link.write("epoch", "" if event["epoch"] == epochs[-1] else str(event["epoch"]))
    if event.get("select"):
        link.write("at", ".".join(str(int(event["select"][name])) for name in ("channel", "row", "col")))


def chosen_epoch(epochs: list[int]) -> int:
    """The epoch that the address names; the last one where it names none."""
    said = link.read("epoch")
    if said in map(str, epochs):
        return int(said)
    if said:
        st.warning(f"The link names an epoch that was not kept. Kept are {epochs[0]} to {epochs[-1]}.")
        link.write("epoch", "")
    return epochs[-1]


def chosen_position(shape: tuple[int, ...]) -> dict[str, int] | None:
    """The channel, row and column that the address names, where the map has them."""
    found = POSITION.fullmatch(link.read("at"))
    spot = [int(number) for number in found.groups()] if found else []
    if not spot or any(at >= size for at, size in zip(spot, shape, strict=True)):
        return None
    channel, row, col = spot
    return {"channel": channel, "row": row, "col": col}


def show_image(images: Any, index: int, said: str) -> None:
    """The image as the net sees it, every pixel a square."""
    pixels = images.test.images[index].permute(1, 2, 0).numpy()
    times = max(1, PIXELS // pixels.shape[0])
    large = pixels.repeat(times, 0).repeat(times, 1)
    st.image(large[:, :, 0] if large.shape[2] == 1 else large, width=large.shape[1], alt=said, output_format="PNG")


def show_maps(run: Run, epochs: list[int], found: list[Place]) -> None:
    """Image, maps, numbers and the nets trained apart."""
    recipe, images = run.recipe, cached.images_of(run)
    seen, said = st.columns([1, 6], vertical_alignment="center")
    with said:
        words, controls = st.container(), st.container()
        number = selection.fusion(found)
    place = found[number - 1]
    shape = cached.costs(to_json(recipe.design), images.shape).shapes[place.names[-1]]
    key = f"maps-{run.id}-{shape}"  # where the maps have another shape, a pinned position means nothing
    take_events(key, epochs)
    epoch = chosen_epoch(epochs)
    with controls:
        index = image_choice.show(images, run, epoch)
    stacks, probabilities = cached.image_maps(str(run.folder), tuple(epochs), index)
    at = epochs.index(epoch)
    sentence = verdict(images.classes, int(images.test.labels[index]), probabilities[at].tolist(), epoch)
    words.markdown(sentence)
    with seen:
        show_image(images, index, sentence.replace("*", ""))
    apart = nets_apart.find(recipe, index, number, shape)
    settings = scale_of([stacks[name] for name in place.names], list(stacks.values()), apart)
    if key not in st.session_state or not link.read("epoch"):  # else the reader's own scrubbing would come back late
        st.session_state[f"{key}-start"] = epoch, chosen_position(shape)
    start, spot = st.session_state[f"{key}-start"]
    with st.container(border=True):
        view.show("maps", view_data(place, stacks, epochs, start, selected=spot, scrubber=True, **settings), key=key)
    map_numbers.show(place, stacks, epochs, at)
    joined = dict(zip(epochs, stacks[place.names[-1]], strict=True))
    nets_apart.show(apart, joined, recipe, epoch, settings, f"apart-{run.id}-{shape}")


def follow(run: Run, epochs: list[int]) -> None:
    """Draw the page again when a run in training has kept the weights of another epoch."""
    if list(run.snapshots()) != epochs or run.status().state not in LIVING:
        st.rerun()
    st.caption("This run is being trained: new epochs appear by themselves.")


def scale_of(here: list[Stack], everywhere: list[Stack], apart: nets_apart.Apart) -> dict[str, Any]:
    """The view's settings for the chosen scale; what is compared has one and the same."""
    if scale == "per map":
        return {"scale": "per map", "range": None}
    beside = [stack for _, maps in apart for stack in maps.values()]
    return {"scale": "whole", "range": reach((everywhere if scale == "whole net" else here) + beside)}


with st.container(horizontal=True, vertical_alignment="center"):
    st.title("Deep + shallow = fused", anchor=False, width="stretch")
    view.copy_link()
with st.sidebar:
    shown = run_choice.show()
    scale = st.pills(
        "Scale",
        list(SCALES),
        default="shared",
        key="scale",
        bind="query-params",
        required=True,
        disabled=lock.on("scale"),
    )
    scale = scale if scale in SCALES else "shared"
    st.caption(SCALES[scale])
if shown is None:
    st.markdown("Maps are made from the weights that a run keeps, and no run has kept any yet.")
    st.page_link("app_pages/train.py", label="Train a fused net: it takes seconds", icon=":material/show_chart:")
    st.stop()

places_found = places(shown.run.recipe.design)
if any(place.join for place in places_found):
    st.markdown(
        "The same channels of the deep block, of the shallow block and of what the join makes of them. "
        "Point at a value to read its sum; press play to watch it form."
    )
elif places_found and places_found[0].blocks:
    st.markdown(
        "These nets are averaged in their logits, which are no maps: nothing is joined before. "
        "Here are the maps of both at the same place."
    )
else:
    st.markdown("This net joins nothing, so there is one map at every place. Press play to watch it form.")
if shown.recorded:
    st.caption("A recorded example, made by this lab's own command. Train a net of your own and it is shown instead.")
slot, epochs_kept = st.container(), list(shown.run.snapshots())
try:
    with slot.skeleton(height=620), slot:
        show_maps(shown.run, epochs_kept, places_found)
except ValueError as error:
    st.error(f"These maps cannot be shown: {error}")
if shown.run.status().state in LIVING:
    st.fragment(follow, run_every=EVERY)(shown.run, epochs_kept)
