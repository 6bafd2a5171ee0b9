"""Lesions: blocks, branches and ways back are cut, and what is left of the net is measured at once."""

import cached
import lock
import snippets
import streamlit as st
from flow_data import companions
from lesion_data import judged
from lesion_plan import Lesion, Options, drawn, options, paths_left, plain_block, toggled
from streamlit.delta_generator import DeltaGenerator
from widgets import (
    flow_image,
    following,
    lesion_controls,
    lesion_maps,
    lesion_result,
    lesion_strip,
    python_code,
    run_choice,
    selection,
    view,
)
from widgets.lesion_strip import Judge
from widgets.words import percent

from dfn.design.paths import path_spectrum
from dfn.design.spec import to_json
from dfn.runs.store import Run
from dfn.words import N_, _, ngettext

MORE = (N_("the whole dial"), N_("random lesions"), N_("beside other nets"))


def show_net(run: Run, lesion: Lesion, choice: Options) -> None:
    """The drawing; a click on a block cuts it."""
    whole = cached.drawing(to_json(run.recipe.design), cached.image_shape(run.recipe), None)
    left = paths_left(run.recipe.design, lesion)
    alt = _("{label}: {done}.").format(label=run.recipe.label, done=lesion_result.done(lesion) or _("whole"))
    data = {**drawn(whole, lesion, left), "compact": False, "selected": None, "alt": alt}
    with view.part("net", border=False):
        event = view.show("net", data, key=f"lesion-net-{run.id}")
    clicked = event.get("select", {}).get("id", "")
    block = clicked if clicked in choice.blocks else plain_block(whole, clicked)
    if block in choice.blocks and not lock.on("cut"):
        lesion_controls.write(toggled(lesion, block, choice.blocks), choice)
        st.rerun()


def show_effect(run: Run, epoch: int, lesion: Lesion, headline: DeltaGenerator) -> tuple[Judge, float]:
    """What the lesion does, also as one sentence in the `headline`; returns what judged it, and the accuracy before."""
    images = cached.images_of(run)
    total = len(images.test)
    count = judged(cached.costs(to_json(run.recipe.design), images.shape).shapes, total)
    judge = str(run.folder), epoch, count
    on = _("all {total:,} test images") if count == total else _("the first {count:,} of {total:,} test images")
    on = on.format(count=count, total=total)
    whole, left = path_spectrum(run.recipe.design), paths_left(run.recipe.design, lesion)
    outcome = cached.lesion_outcome(*judge, lesion)
    if lesion.changes:
        headline.markdown(lesion_result.verdict(outcome, lesion, run.recipe.design.classes, left))
    else:
        said = _("The net is whole and calls **{share}** of {images} right.")
        headline.markdown(said.format(share=percent(outcome.before), images=on))
    with view.part("effect"):
        lesion_result.show(outcome, whole, left, on)
        picked = flow_image.show(images, run, epoch)
        if lesion.changes:
            answers = cached.answers_to(*judge, lesion, picked)
            st.markdown(lesion_result.chosen_image(picked, answers, images.classes))
        lesion_result.flips(outcome.flips, images)
    if lesion.changes:
        with st.container(border=True):
            lesion_maps.show(run, judge, lesion, picked)
    return judge, outcome.before


def show_more(run: Run, judge: Judge, before: float, lesion: Lesion, choice: Options) -> None:
    """What takes longer: the strip, and more on demand."""
    with view.part("strip"):
        lesion_strip.guess(judge, choice, lesion.how, before)
    offered = MORE if companions(run.recipe, ("plain deep",)) else MORE[:2] if choice.fusions else MORE[1:2]
    more = st.pills(
        _("Also measure"),
        offered,
        selection_mode="multi",
        key="lesion-more",
        persist_state="session",
        format_func=lambda wanted: _(wanted),
    )
    for wanted in offered:
        if wanted in more:
            with st.container(border=True):
                if wanted == MORE[0]:
                    lesion_strip.whole_dial(judge, lesion, choice)
                elif wanted == MORE[1]:
                    lesion_strip.random_cuts(judge, choice, lesion.how, before, run.recipe.design.classes)
                else:
                    lesion_strip.beside(run, judge, lesion.how)


with st.container(horizontal=True, vertical_alignment="center"):
    st.title(_("Cut it and see"), anchor=False, width="stretch")
    view.copy_link()
with st.sidebar:
    shown = run_choice.show()
    epochs_kept = list(shown.run.snapshots()) if shown else []
    epoch_shown = selection.epoch(epochs_kept) if shown else 0
if shown is None:
    st.markdown(_("Lesions are made in the weights that a run keeps, and no run has kept any yet."))
    st.page_link("app_pages/train.py", label=_("Train a fused net: it takes seconds"), icon=":material/show_chart:")
    st.stop()

run_shown = shown.run
possible = options(run_shown.recipe.design, cached.image_shape(run_shown.recipe))
if not possible.blocks:
    st.markdown(_("This net is no chain of blocks, so there is nothing here that could be cut. Choose another run."))
    st.stop()
with st.sidebar:
    how_shown = lesion_controls.how(possible)
made = lesion_controls.read(possible, how_shown)
st.markdown(
    ngettext(
        "A trained net, and {count} block to take out. **Click a block** to cut it: does the rest still know what it "
        "sees? The weights stay as they are, nothing is trained again.",
        "A trained net, and {count} blocks to take out. **Click a block** to cut it: does the rest still know what it "
        "sees? The weights stay as they are, nothing is trained again.",
        len(possible.blocks),
    ).format(count=len(possible.blocks))
)
if shown.recorded:
    st.caption(
        _("A recorded example, made by this lab's own command. Train a net of your own and it is shown instead.")
    )
with st.container(border=True):
    said = view.part("verdict", border=False)
    show_net(run_shown, made, possible)
    lesion_controls.show(made, possible)
slot = st.container()
try:
    with slot.skeleton(height=560), slot:
        judged_by, accuracy = show_effect(run_shown, epoch_shown, made, said)
    show_more(run_shown, judged_by, accuracy, made, possible)
    stands = run_shown, shown.recorded, *judged_by[1:], made, possible.lanes.get("plain", ())
    python_code.show(lambda: snippets.lesions(*stands), "lesions")
except ValueError as error:
    st.error(_("This lesion cannot be measured: {error}").format(error=error))
following.show(run_shown, epochs_kept)
