"""Attribution: where in the image, or in a map on the way, an answer of the net came from."""

import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import attribution_beside
import attribution_data as data
import cached
import snippets
import streamlit as st
from attribution_data import INPUT, Asked, Picture
from image_words import caption, verdict
from maps_data import Shown
from widgets import (
    attribution_cards,
    attribution_view,
    following,
    image_choice,
    method_choice,
    python_code,
    run_choice,
    selection,
    unit_choice,
    view,
)
from widgets import attribution_work as work
from widgets.attribution_view import Panel

from dfn.insight.maps import Place, places
from dfn.insight.methods import METHODS, Unit
from dfn.runs.run import Run
from dfn.words import _

if TYPE_CHECKING:
    from dfn.data import Dataset

FROM_IMAGE = "integrated_gradients"


def picture(asked: Asked, run: Run, words: str) -> Picture | None:
    """The answer to a question about this run; None where it was stopped."""
    net, images = cached.net_after(asked.folder, asked.epoch), cached.images_of(run)
    return work.answer("picture", asked, lambda tell: data.explain(net, images, asked, tell), words)


def show_page(shown: Shown, found: Sequence[Place], sidebar: Any) -> None:
    """Choices, pictures, self-tests, branches, scores, and what stands behind them."""
    run, epochs = shown.run, list(shown.run.snapshots())
    recipe, images = run.recipe, cached.images_of(run)
    with sidebar:
        epoch = selection.epoch(epochs)
    words = st.container()
    picked = image_choice.show(images, run, epoch)
    maps, chances = cached.image_maps(str(run.folder), tuple(epochs), picked)
    probabilities, true = chances[epochs.index(epoch)], picked.label
    called = int(probabilities.argmax())
    words.markdown(verdict(picked, images.classes, probabilities.tolist(), epoch))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        place = found[selection.fusion(found) - 1]
        spots = data.spots(place)
        of_unit = method_choice.is_unit()  # such a value is explained in terms of the image alone
        spot = INPUT if of_unit else method_choice.place(list(spots))
        method = method_choice.method(spots[spot], recipe.design)
    with sidebar:
        wanted = method_choice.target(images.classes, called, true)
        here = {name: maps[name][epochs.index(epoch)] for name in place.names}
        unit = unit_choice.show(place, here) if of_unit else None
    target = unit or method_choice.class_of(wanted, called, true)
    asked = Asked(str(run.folder), epoch, picked, method, spots[spot], target)
    shape = maps[asked.at].shape[1:] if asked.at != INPUT else images.shape
    looked_at = maps[unit.at].shape[1:] if unit else shape
    alone = attribution_beside.trained_alone(run, asked, found.index(place) + 1, looked_at)
    with sidebar:
        beside = method_choice.beside(attribution_beside.offered(run, asked, len(images.test), alone))

    title, of = _(METHODS[method].title), method_choice.place_words(spot, place.title)
    first = picture(asked, run, _("{method} of {place}").format(method=title, place=of))
    if first is None:
        return
    panels, answers = [panel_of(title, of, asked, first, images, place)], [first]
    other = attribution_beside.other(run, asked, beside, wanted, alone)
    second = picture(other.asked, other.run, other.title) if other else None
    if other and second:
        panels.append(
            panel_of(
                other.title,
                of if other.run is run or asked.at == INPUT else _("the same place"),
                other.asked,
                second,
                images,
                place,
            )
        )
        answers.append(second)
    show_pictures(panels, answers, asked, images.classes)
    if place.join and not unit:
        show_branches(replace(asked, method=FROM_IMAGE, at=INPUT), run, found.index(place) + 1, place)
    attribution_cards.show(cached.net_after(asked.folder, epoch), images, asked, first)
    show_sources(shown, asked, shape)


def panel_of(title: str, of: str, asked: Asked, answer: Picture, images: "Dataset", place: Place) -> Panel:
    """One picture with its words; `of` names its place."""
    if isinstance(asked.target, Unit):
        what = unit_choice.in_words(asked.target, place.title)
    else:
        what = _class(images.classes[asked.target])
    about = _("of {place}, for {what}, epoch {epoch}").format(place=of, what=what, epoch=asked.epoch)
    return Panel(title, about, asked.method, answer.heat, asked.image.array)


def _class(name: str) -> str:
    return _("class {name}").format(name=name)


def show_pictures(panels: Sequence[Panel], answers: Sequence[Picture], asked: Asked, classes: Sequence[str]) -> None:
    """The bare image, one or two pictures on one scale, and their self-tests."""
    picked = asked.image
    scale = data.common_scale([(panel.method, panel.heat) for panel in panels], asked.explained)
    with view.part("pictures"):
        columns = st.columns(3)
        with columns[0]:
            about = _("no label") if picked.label is None else _class(classes[picked.label])
            alt = _("{image}, as the net gets it").format(image=caption(picked, classes))
            attribution_view.bare(picked.array, picked.name, about, alt)
        for column, panel in zip(columns[1:], panels, strict=False):
            with column:
                attribution_view.panel(panel, scale)
        if len(panels) == 1:
            with columns[2]:
                attribution_view.gap_card(answers[0], asked, _("completeness gap"))
                attribution_view.limits(panels[:1])
        attribution_view.scale_strip(scale)
        name = f"{panels[0].method} {panels[0].about} {picked.file}"
        view.save("part-pictures", name, attribution_view.rows(panels))
    if len(panels) > 1:
        names = (_("completeness gap"), _("completeness gap beside it"))
        columns = st.columns(3)
        for column, panel, answer, name in zip(columns, panels, answers, names, strict=False):
            with column:
                attribution_view.gap_card(answer, replace(asked, method=panel.method), name)
        with columns[2]:
            attribution_view.likeness_card(data.alike(*answers))
        attribution_view.limits(panels)


def show_branches(asked: Asked, run: Run, number: int, place: Place) -> None:
    """Integrated gradients of the image, split over the blocks of the chosen fusion."""
    fusion = place.title.lower()
    st.header(_("Through which block of {fusion}").format(fusion=fusion), anchor=False)
    net, images = cached.net_after(asked.folder, asked.epoch), cached.images_of(run)
    found = work.answer(
        "branches",
        asked,
        lambda tell: data.explain_by_branch(net, images, asked, number, tell),
        _("Integrated gradients by block of {fusion}").format(fusion=fusion),
        number,
    )
    if found:
        with view.part("branches", border=False):
            attribution_view.parts(found, asked.image.array, fusion)


def show_sources(shown: Shown, asked: Asked, shape: Sequence[int]) -> None:
    """Formula, source and cost of the method, and the same from Python."""
    facts = METHODS[asked.method]
    sources = st.expander(
        _("Formula, source and cost"), icon=":material/functions:", key="attribution-sources", on_change="rerun"
    )
    if sources.open:
        with sources:
            st.latex(facts.formula)
            st.markdown(
                _(
                    "x is the image or map that is explained, x' its baseline (the mean colour, or its map), f the "
                    "logit of the class or the value of a unit, i one number of x; A^k channel k of a map, y one "
                    "number of a map."
                )
            )
            text = _("Source: {source}. Cost: {cost}. Computed with Captum.")
            st.markdown(text.format(source=_(facts.source), cost=data.cost_words(facts, tuple(shape))))
    python_code.show(
        lambda: snippets.attribution(
            shown.run, shown.recorded, asked.epoch, asked.image, asked.target, asked.method, asked.at
        ),
        "attribution",
    )


with st.container(horizontal=True, vertical_alignment="center"):
    st.title(_("Where the answer came from"), anchor=False, width="stretch")
    view.copy_link()
with st.sidebar:
    shown = run_choice.show()
    choices = st.container()
if shown is None:
    st.markdown(_("Pictures are made from the weights that a run keeps, and no run has kept any yet."))
    st.page_link("app_pages/train.py", label=_("Train a fused net: it takes seconds"), icon=":material/show_chart:")
    st.stop()
st.markdown(
    _(
        "Which pixels, or which numbers of a map on the way, the net's answer rests on: red speaks for the class, blue "
        "against it. Set a second picture beside it, and see how much came through the deep and the shallow block."
    )
)
if shown.recorded:
    st.caption(
        _("A recorded example, made by this lab's own command. Train a net of your own and it is shown instead.")
    )
reserved, body = st.empty(), st.container()
try:
    # a place that is reserved while torch is loaded; later it would only push down what stands there
    with nullcontext() if "torch" in sys.modules else reserved.skeleton(height=620), body:
        show_page(shown, places(shown.run.recipe.design), choices)
except ValueError as error:
    st.error(_("This picture cannot be made: {error}").format(error=error))
following.show(shown.run, list(shown.run.snapshots()))
