"""Compare: any methods over several seeds on equal terms, and whether the gaps are larger than chance."""

import json
from functools import partial

import cached
import compare_data
import snippets
import streamlit as st
from compare_data import LIVING
from widgets import compare_controls, compare_result, data_choice, net_controls, python_code, training_choice, view

from dfn.design.errors import DesignError
from dfn.referee.results import find, pace
from dfn.runs import launch
from dfn.runs.store import RunError, Store
from dfn.training.comparisons import Frame
from dfn.training.recipe import Recipe, RecipeError
from dfn.words import _, ngettext

EVERY = 2.0
GOING, MOVING = "compare-going", "compare-moving"

with st.sidebar:
    info = data_choice.show()
    settings = training_choice.show(info)
    with st.expander(_("The net"), icon=":material/account_tree:"):
        chosen = net_controls.show(info)

with st.container(horizontal=True, vertical_alignment="center"):
    st.title(_("Is the gap larger than chance?"), anchor=False, width="stretch")
    view.copy_link()
st.markdown(
    _(
        "The same images in the same order for every net, once for every seed. A gap counts when it is larger than "
        "what another seed changes."
    )
)
terms = compare_controls.show()

store = Store()
frame = Frame(chosen.bases, chosen.fusions, chosen.width, len(info.classes), info.shape[0], chosen.join)
side = settings.get("size") or info.shape[1]
shape = (info.shape[0], side, side)
plan = json.dumps(
    [frame.bases, frame.fusions, frame.width, frame.join, terms.names, terms.seeds, terms.budget, settings]
)


def measured() -> dict[str, float] | None:
    """The pace of every net by name, for equal seconds alone; None while one is still to be measured."""
    if terms.budget != "seconds":
        return {}
    found = {name: find(store, recipe) for name, recipe in compare_data.pilots(frame, terms.names, settings).items()}
    paces = {name: pace(run) for name, run in found.items() if run and run.status().state == "done"}
    known = {name: seconds for name, seconds in paces.items() if seconds}
    return known if len(known) == len(terms.names) else None


def lines() -> list[compare_data.Line] | None:
    """The comparison; None while the pace of a net is still to be measured."""
    paces = measured()
    if paces is None:
        return None
    text, known = json.dumps(settings), tuple(paces.items())
    return cached.comparison(frame, terms.names, text, shape, terms.budget, known, terms.seeds)


def buttons(waiting: list[list[Recipe]], recipes: list[Recipe], states: list[str], over: bool) -> bool:
    """Start, go on and stop; returns whether anything is trained."""
    moving = any(state in LIVING for state in states)
    with st.container(horizontal=True, vertical_alignment="center"):
        word = _("Go on") if states and not over else _("Start")
        start = st.button(
            word,
            type="primary",
            icon=":material/play_arrow:",
            key="compare-start",
            disabled=moving or over or not info.available,
        )
        stop = st.button(
            _("Stop"),
            icon=":material/stop:",
            key="compare-stop",
            disabled=not moving,
            help=_("What was computed is kept."),
        )
        text = ngettext("{done} of {count} run done", "{done} of {count} runs done", len(recipes))
        st.markdown(text.format(done=states.count("done"), count=len(recipes)), width="content")
    try:
        if start:
            compare_data.begin(waiting, store, again=True)
            st.session_state[GOING] = plan
        elif stop:
            st.session_state.pop(GOING, None)
            launch.stop(run for recipe in recipes if (run := find(store, recipe)))
        elif st.session_state.get(GOING) != plan or over or not compare_data.begin(waiting, store, again=False):
            return moving
    except RunError as error:
        st.error(_("This did not work: {error}.").format(error=error))
        return moving
    st.rerun()


def screen() -> None:
    """Everything that moves; looked at every two seconds while a net trains."""
    try:
        found = lines()
    except (DesignError, RecipeError) as error:
        st.error(str(error))
        return
    if found is None:
        recipes = list(compare_data.pilots(frame, terms.names, settings).values())
        waiting, over = [recipes], False
    else:
        recipes, over = compare_data.every_recipe(found), False
        waiting = []
    known = compare_data.statuses(recipes, store)
    states = [status.state for _run, status in known.values()]
    if found is not None:
        waiting = compare_data.ready(found, known)
        over = len(states) == len(recipes) and all(state == "done" for state in states)
    moving = buttons(waiting, recipes, states, over)
    if moving != st.session_state.get(MOVING, False):
        st.session_state[MOVING] = moving
        st.rerun()
    notices(bool(states), found is None)
    trouble = {status.message for _run, status in known.values() if status.state == "failed"}
    for message in sorted(trouble):
        st.warning(_(message), icon=":material/error:")
    if found is not None and states:
        results = compare_data.results(found, known)
        compare_result.show(results, terms.budget)
        compare_result.ways_on(results, own=True)
    elif example := cached.recorded_comparison(cached.RECORDED_COMPARISON):
        compare_result.show(example.results, example.budget)
        compare_result.ways_on(example.results, own=False)


def notices(own: bool, pacing: bool) -> None:
    """What is shown, where it is not what was set."""
    if not info.available:
        st.warning(
            _(
                "{title} is not on this machine yet. `dfn data fetch {name}` downloads it, or point DFN_DATA at a "
                "folder that holds the official files."
            ).format(title=_(info.title), name=info.name),
            icon=":material/download:",
        )
    if pacing and own:
        st.info(_("The pace of every net is measured first; how long each may train follows from it."))
    if own and not pacing:
        return
    example = cached.recorded_comparison(cached.RECORDED_COMPARISON)
    if example:
        st.info(
            _(
                "A **recorded comparison**, made by this lab's own command: {data}; {machine}. Press **Start** to "
                "train what you have set."
            ).format(data=example.data, machine=example.machine),
            icon=":material/videocam:",
        )


st.fragment(screen, run_every=EVERY if st.session_state.get(MOVING) else None)()

if (known_paces := measured()) is not None:
    asked = frame, terms.names, settings, shape, terms.budget, known_paces, terms.seeds
    python_code.show(partial(snippets.comparison, *asked), "compare")
