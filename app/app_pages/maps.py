"""Maps: what the deep block, the shallow block and their fusion make of one image, epoch by epoch."""

from collections.abc import Sequence
from typing import Any

import cached
import link
import snippets
import streamlit as st
from image_words import verdict
from maps_data import Shown
from widgets import (
    evidence,
    following,
    image_choice,
    link_choice,
    map_fields,
    map_numbers,
    map_pins,
    nets_apart,
    python_code,
    run_choice,
    selection,
    view,
)
from widgets.nets_apart import Net

from dfn.design.spec import to_json
from dfn.insight.maps import Place, Stack, places, reach
from dfn.insight.maps_view import answers, photo, view_data
from dfn.words import N_, _

SCALES = {
    "shared": N_("One scale for all maps on show, over all epochs: what looks stronger is stronger."),
    "per map": N_("Every map fills the scale by itself: faint patterns show, but strengths cannot be compared."),
    "whole net": N_("One scale for all fusions of the net: shows where on the way the values are large."),
}
SCALE_NAMES = {"shared": N_("shared"), "per map": N_("per map"), "whole net": N_("whole net")}


def chosen_epoch(epochs: list[int]) -> int:
    """The epoch that the address names; the last one where it names none."""
    said = link.read("epoch")
    if said in map(str, epochs):
        return int(said)
    if said:
        text = _("The link names an epoch that was not kept. Kept are {first} to {last}.")
        st.warning(text.format(first=epochs[0], last=epochs[-1]))
        link.write("epoch", "")
    return epochs[-1]


def show_maps(shown: Shown, epochs: list[int], found: list[Place]) -> None:
    """Maps, numbers, receptive fields and the nets trained apart."""
    run = shown.run
    recipe, images = run.recipe, cached.images_of(run)
    key = f"maps-{run.id}"
    drawn = view.drawn_as(key)
    map_pins.take(drawn, epochs, len(found))
    words, controls = st.container(), st.container()
    number = selection.fusion(found)
    place = found[number - 1]
    shape = cached.costs(to_json(recipe.design), images.shape).shapes[place.names[-1]]
    epoch = chosen_epoch(epochs)
    with controls:
        picked = image_choice.show(images, run, epoch)
    stacks, probabilities = cached.image_maps(str(run.folder), tuple(epochs), picked)
    at = epochs.index(epoch)
    sentence = verdict(picked, images.classes, probabilities[at].tolist(), epoch)
    words.markdown(sentence)
    apart = nets_apart.find(recipe, picked, number, shape)
    settings = scale_of([stacks[name] for name in place.names], list(stacks.values()), apart)
    fields = cached.fields(to_json(recipe.design), place.names)
    new, start = drawn not in st.session_state, st.session_state.get(f"{drawn}-start", {})
    if new or not link.read("epoch"):  # else the reader's own scrubbing would come back late
        start = {**start, "epoch": epoch}
    if new:  # the same of what is pinned
        start = {**start, "pins": map_pins.chosen(epochs)}
    st.session_state[f"{drawn}-start"] = start
    about = {
        "image": photo(picked.array, sentence.replace("*", "")),
        "answers": answers(images.classes, picked.label, probabilities),
        "fusions": len(found),
    }
    with view.part("maps"):
        data = view_data(place, stacks, epochs, start["epoch"], fields, pins=start["pins"], **about, **settings)
        view.show("maps", data, key=key)
    with view.part("numbers", border=False):
        map_numbers.show(place, stacks, epochs, at)
    joined = Net(
        recipe.label, "fused", str(run.folder), place.names[-1], dict(zip(epochs, stacks[place.names[-1]], strict=True))
    )
    nets_apart.show(apart, joined, recipe, epoch, settings, f"apart-{run.id}")
    st.header(_("What a place sees of the image"), anchor=False)
    with view.part("fields"):
        map_fields.spectrum(place, fields)
    pinned = map_pins.first_place(shape)
    spot = pinned or map_fields.greatest(stacks[place.names[-1]][at])
    names = map_fields.reachable(place, stacks, at, spot)
    counted = cached.effective(str(run.folder), epoch, picked, fields[names[-1]].step, tuple(names), spot)
    with view.part("pixels"):
        map_fields.effective(place, counted, picked.array, spot, pinned is not None, epoch)
    evidence.show(run, epoch)
    python_code.show(lambda: snippets.maps(run, shown.recorded, epoch, picked, place, number), "maps")


def scale_of(here: list[Stack], everywhere: list[Stack], apart: Sequence[Net]) -> dict[str, Any]:
    """The view's settings for the chosen scale; what is compared has one and the same."""
    if scale == "per map":
        return {"scale": "per map", "range": None}
    beside = [stack for net in apart for stack in net.maps.values()]
    return {"scale": "whole", "range": reach((everywhere if scale == "whole net" else here) + beside)}


with st.container(horizontal=True, vertical_alignment="center"):
    st.title(_("Deep + shallow = fused"), anchor=False, width="stretch")
    view.copy_link()
with st.sidebar:
    shown = run_choice.show()
    scale = link_choice.show(
        st.pills, _("Scale"), list(SCALES), "scale", "shared", lambda name: _(SCALE_NAMES[name]), required=True
    )
    st.caption(_(SCALES[scale]))
if shown is None:
    st.markdown(_("Maps are made from the weights that a run keeps, and no run has kept any yet."))
    st.page_link("app_pages/train.py", label=_("Train a fused net: it takes seconds"), icon=":material/show_chart:")
    st.stop()

places_found = places(shown.run.recipe.design)
if any(place.join for place in places_found):
    st.markdown(
        _(
            "The same channels of the deep block, of the shallow block and of what the join makes of them. "
            "Point at a value to read its sum; press play to watch it form."
        )
    )
elif places_found and places_found[0].blocks:
    st.markdown(
        _(
            "These nets are averaged in their logits, which are no maps: nothing is joined before. "
            "Here are the maps of both at the same place."
        )
    )
else:
    st.markdown(_("This net joins nothing, so there is one map at every place. Press play to watch it form."))
if shown.recorded:
    st.caption(
        _("A recorded example, made by this lab's own command. Train a net of your own and it is shown instead.")
    )
slot, epochs_kept = st.container(), list(shown.run.snapshots())
try:
    with slot.skeleton(height=620), slot:
        show_maps(shown, epochs_kept, places_found)
except ValueError as error:
    st.error(_("These maps cannot be shown: {error}").format(error=error))
following.show(shown.run, epochs_kept)
