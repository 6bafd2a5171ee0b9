"""Flow: how the gradient comes back from the loss to the stem, and along which paths."""

import cached
import snippets
import streamlit as st
from flow_data import MOST_JUDGED, Asked, batch_of, companions, first_images, gradient_rows, shares
from maps_data import Shown, run_with_maps
from picked import Picked
from runs_data import train_link
from widgets import (
    flow_gradient,
    flow_image,
    flow_joint,
    flow_lengths,
    following,
    link_choice,
    python_code,
    run_choice,
    selection,
    view,
)

from dfn.design.spec import to_json
from dfn.runs.store import Run
from dfn.words import N_, _, ngettext

ROLES = ("fused", "plain", "resnet", "late", "decision")
OVER = (N_("this image"), N_("several images"))


def images_chosen(run: Run, epoch: int, picked: Picked, most: int) -> tuple[Asked, str]:
    """The images to measure on, each with its class, and in words over which the numbers are means."""
    over = link_choice.show(st.pills, _("Measured on"), OVER, "over", OVER[0], _, required=True)
    if over != OVER[1]:
        return flow_image.asked(run, epoch, picked)
    images = cached.images_of(run)
    count = min(most, len(images.test))
    on = ngettext("the mean over the first {count} test image", "the mean over the first {count} test images", count)
    return first_images(images, count), on.format(count=count)


def role_of(run: Run) -> str:
    """The colour of a run's net."""
    kind = cached.facts(str(run.folder)).kind
    return kind if kind in ROLES else "fused"


def show_places(run: Run, epoch: int, asked: Asked, on: str) -> None:
    """The run itself, and its deep base network trained apart, at the last epoch that it kept up to this one."""
    nets = [(run.recipe.label, role_of(run), gradient_rows(cached.flow(str(run.folder), epoch, asked)))]
    missing = []
    for runner in companions(run.recipe, ("plain deep",)):
        apart = run_with_maps(runner.recipe.id, cached.RECORDED)
        if apart is None:
            missing.append(runner.label)
            continue
        at = max((kept for kept in apart.run.snapshots() if kept <= epoch), default=min(apart.run.snapshots()))
        after = _("{label}, after epoch {epoch}").format(label=runner.label, epoch=at)
        label = runner.label if at == epoch else after
        nets.append((label, runner.role, gradient_rows(cached.flow(str(apart.run.folder), at, asked))))
    flow_gradient.show_places(nets, on)
    for label in missing:
        st.markdown(_("**{label}** has not been trained with this recipe and seed.").format(label=label))
        address = train_link(run.recipe)
        text = _("Train {label}").format(label=label)
        st.page_link("app_pages/train.py", label=text, icon=":material/show_chart:", query_params=address)


def show_flow(shown: Shown, epoch: int) -> None:
    """Everything below the title."""
    run = shown.run
    recipe, images = run.recipe, cached.images_of(run)
    picked = flow_image.show(images, run, epoch)
    cost = cached.costs(to_json(recipe.design), images.shape)
    asked, on = images_chosen(run, epoch, picked, batch_of(cost.activation_bytes))
    flow = cached.flow(str(run.folder), epoch, asked)
    left, right = st.columns(2)
    with left, view.part("places", height="stretch"):
        show_places(run, epoch, asked, on)
    with right, view.part("handed_back", height="stretch"):
        if flow.fusions:
            flow_gradient.show_handed_back(flow, on)
        else:
            st.markdown(_("**Handed back at each fusion**"))
            st.markdown(_("This net joins nothing: there is one way back, through every block."))
    with view.part("lengths"):
        flow_lengths.show(cached.lengths(str(run.folder), epoch, asked), shares(recipe.design), recipe.label, on)
    with view.part("training"):
        flow_gradient.show_training(runs_beside(run))
    if companions(recipe, ("plain deep",)):
        st.header(_("What each base network can do alone"), anchor=False)
        with view.part("alone"):
            flow_joint.show(run, epoch, min(MOST_JUDGED, len(images.test)), len(images.test))
    python_code.show(lambda: snippets.flow(run, shown.recorded, epoch, asked), "flow")


def runs_beside(run: Run) -> list[tuple[str, str, Run]]:
    """The run and its base networks trained apart, as far as they were trained."""
    found = [(run.recipe.label, role_of(run), run)]
    for runner in companions(run.recipe, ("plain deep", "plain shallow")):
        apart = run_with_maps(runner.recipe.id, cached.RECORDED)
        if apart:
            found.append((runner.label, runner.role, apart.run))
    return found


with st.container(horizontal=True, vertical_alignment="center"):
    st.title(_("Where the gradient goes"), anchor=False, width="stretch")
    view.copy_link()
with st.sidebar:
    shown = run_choice.show()
    epochs_kept = list(shown.run.snapshots()) if shown else []
    epoch_shown = selection.epoch(epochs_kept) if shown else 0
if shown is None:
    st.markdown(_("Gradients are measured with the weights that a run keeps, and no run has kept any yet."))
    st.page_link("app_pages/train.py", label=_("Train a fused net: it takes seconds"), icon=":material/show_chart:")
    st.stop()

st.markdown(
    _(
        "Learning needs the gradient to find its way from the loss back to the stem. Move the **epoch** and watch "
        "through which blocks, and along paths of which length, it comes."
    )
)
if shown.recorded:
    st.caption(
        _("A recorded example, made by this lab's own command. Train a net of your own and it is shown instead.")
    )
slot = st.container()
try:
    with slot.skeleton(height=760), slot:
        show_flow(shown, epoch_shown)
except ValueError as error:
    st.error(_("This cannot be measured: {error}").format(error=error))
following.show(shown.run, epochs_kept)
