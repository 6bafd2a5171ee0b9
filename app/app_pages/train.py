"""Train: the fused net and its controls learn side by side, live."""

from itertools import cycle

import cached
import snippets
import streamlit as st
from live import read
from race import NAMES, frame_of_rivals, line_up
from verdict import Result, verdict
from widgets import (
    data_choice,
    learning_curves,
    net_controls,
    net_words,
    python_code,
    race_controls,
    recipe_choice,
    view,
)
from widgets.words import duration, million, percent

from dfn.figures.confusion import confusion
from dfn.runs.progress import Progress, time_left
from dfn.runs.store import Run, RunError, Store
from dfn.training.recipe import RecipeError
from dfn.words import N_, _

EVERY = 0.5
THIS, FIRST = N_("this step"), N_("the first step")

with st.sidebar:
    info = data_choice.show()
    plan = recipe_choice.show(info)
    with st.expander(_("The net"), icon=":material/account_tree:"):
        chosen = net_controls.show(info)

st.title(_("Watch them learn"), anchor=False)
st.markdown(_("Same data, same order, same seed. Which of them finds it hard, and where does the gradient go?"))

try:
    runners = line_up(chosen.design, chosen.bases, chosen.fusions, chosen.width, plan.rivals, plan.settings)
except RecipeError as error:
    st.error(str(error))
    st.stop()

store = Store()


def entered() -> list[tuple[str, str, Run]]:
    """(label, role, run) of every net of this race that has a run; the recorded example where none has."""
    kept: dict[str, Run] = st.session_state.setdefault("entered", {})
    found = []
    for runner in runners:
        run = kept.get(runner.recipe.id)
        if run is None or run.folder.parent != store.root or not run.recipe_file.exists():
            try:
                run = kept[runner.recipe.id] = store.get(runner.recipe.id)  # reads the recipe and checks it
            except RunError:
                continue
        found.append((runner.label, runner.role, run))
    return found


def gradient(race: list[tuple[str, str, Run]], known: list[Progress], first: bool) -> dict | None:
    """Gradient norm by place, from stem to last fusion, in the fused net and in the plain ones."""
    groups = []
    for (label, role, _run), progress in zip(race, known, strict=True):
        norms = progress.first_norms if first else progress.norms
        if norms and role in ("fused", "plain", "shallow"):
            groups.append({"label": label, "role": role, "bars": gradient_bars(norms["gradient"])})
    if not groups:
        return None
    return {
        "title": _("Gradient norm per block"),
        "subtitle": _("stem to last fusion, log scale"),
        "unit": _("norm"),
        "log": True,
        "groups": groups,
    }


def gradient_bars(norms: dict[str, float]) -> list[dict]:
    """One bar a place; the branches of a fusion become one bar with its parts (norms add as squares)."""
    bars: dict[str, dict] = {}
    for name, value in norms.items():
        place, _slash, lane = name.partition("/")
        if place == "head":
            continue
        label = _("stem") if place == "stem" else place.removeprefix("fusion").removeprefix("block")
        bar = bars.setdefault(place, {"label": label, "value": 0.0})
        if lane:
            bar.setdefault("parts", []).append({"role": lane, "value": value})
            value = (bar["value"] ** 2 + value**2) ** 0.5
        bar["value"] = value
    return list(bars.values())


def card(label: str, run: Run, progress: Progress) -> None:
    """One net: what it reached and how far it is."""
    status, last = progress.status, progress.epochs[-1] if progress.epochs else None
    if status is None:
        return
    with st.container(border=True):
        st.markdown(f"**{label}**")
        view.show("net", {**cached.thumbnail(run), "alt": label}, key=f"thumb-{run.id}")
        st.metric(
            _("test accuracy"),
            percent(last["test_accuracy"]) if last else "–",
            help=_("Share of the test images called rightly, measured after every epoch with recalibrated batch norm."),
        )
        said = {
            "waiting": _("waiting, place {place}") if status.place else _("waiting for a free place"),
            "running": _("step {step:,} of {steps:,}"),
            "paused": _("paused at step {step:,}"),
            "done": _("done in {time}"),
            "failed": _("failed"),
            "stopped": _("stopped at step {step:,}"),
            "interrupted": _("interrupted at step {step:,}; Go on resumes it"),
            "new": _("not started"),
        }[status.state].format(place=status.place, step=status.step, steps=status.steps, time=duration(status.seconds))
        if progress.begin:
            said = _("{state} · {count} parameters").format(state=said, count=million(progress.begin["parameters"]))
        st.caption(said)
        if learner := next((r.before for r in runners if r.recipe.id == run.id), ""):
            st.caption(_("comes first: {learner} learns from it").format(learner=learner))
        if status.state in ("done", "waiting") and status.message:
            st.caption(_(status.message))
        if status.state == "failed":
            st.warning(_(status.message), icon=":material/error:")


def screen() -> None:
    """Everything that moves; run twice a second while a net trains."""
    own = entered()
    race = own or cached.recorded_race()
    known = [read(run) for _label, _role, run in race]
    states = [p.status.state for p in known if p.status]
    # a place for each: what stands below would be drawn anew, without its zoom, if it moved up when one is empty
    buttons, notice, line = st.container(), st.container(), st.container()
    with buttons:
        moving = race_controls.show(store, runners, [run for _label, _role, run in own], states if own else [], info)
    if moving != (st.session_state.get("moving") is True):
        st.session_state["moving"] = moving
        st.rerun()
    if not own and race:
        notice.info(
            _(
                "A **recorded example**: digits, base networks of 50 and 14 layers, width 8, made by this lab's own "
                "command. Press **Play** to train the net that you have set."
            ),
            icon=":material/videocam:",
        )
    with line:
        progress_line(known)
    left, right = st.columns([5, 3])
    with left, view.part("curves"):
        curves = [(run.id, label, role, p) for (label, role, run), p in zip(race, known, strict=True)]
        learning_curves.show(curves, key="race-curves")
    results = {
        role: Result(label, role, p.epochs[-1]["test_accuracy"], p.epochs[-1]["epoch"], p.done)
        for (label, role, _run), p in zip(race, known, strict=True)
        if p.epochs
    }
    begin = next((p.begin for p in known if p.begin), None)
    with right:
        with view.part("gradient"):
            when = st.radio(_("Gradient of"), [THIS, FIRST], format_func=_, horizontal=True, key="gradient-of")
            bars = gradient(race, known, first=when == FIRST)
            if bars:
                view.show("bars", bars, key="gradient-bars")
            else:
                st.caption(_("The gradient norm of every block appears here with the first step."))
        sentence = verdict(results, begin["steps"] // begin["steps_per_epoch"]) if begin and begin["steps"] else ""
        if sentence:
            with view.part("verdict"):
                st.markdown(sentence)
    with view.part("nets", border=False):
        columns = st.columns(max(1, len(race)))
    for column, (label, _role, run), progress in zip(columns, race, known, strict=False):
        with column:
            card(label, run, progress)
    if states and all(state == "done" for state in states):
        outcome(race, known)


def progress_line(known: list[Progress]) -> None:
    """How far the whole race is, and how long it may still take."""
    statuses = [p.status for p in known if p.status and p.status.steps]
    if not statuses or all(s.state == "done" for s in statuses):
        return
    done = sum(s.steps if s.state == "done" else s.step for s in statuses) / sum(s.steps for s in statuses)
    wait = time_left(statuses)
    waiting = [s.place for s in statuses if s.state == "waiting" and s.place]
    if wait:
        said = _("{done:.0f} % of all steps, about {time} left").format(done=100 * done, time=duration(wait))
    elif waiting:
        said = _("{done:.0f} % of all steps, place {place} in the queue").format(done=100 * done, place=min(waiting))
    else:
        said = _("{done:.0f} % of all steps, standing still").format(done=100 * done)
    st.progress(min(1.0, done), text=said)


def outcome(race: list[tuple[str, str, Run]], known: list[Progress]) -> None:
    """What is worth looking at when a race is over."""
    dark = st.context.theme.type == "dark"
    # what it holds is drawn when it is opened: plotly alone takes a browser seconds to load
    box = st.expander(
        _("Which classes are taken for which?"), icon=":material/grid_on:", key="confusion", on_change="rerun"
    )
    if box.open:
        with box:
            for column, (label, _role, run), progress in zip(cycle(st.columns(2)), race, known, strict=False):
                with column:
                    confusion_matrix(label, run, progress, dark)
    st.page_link("app_pages/maps.py", label=_("See what the fused net sees"), icon=":material/grid_view:")


def confusion_matrix(label: str, run: Run, progress: Progress, dark: bool) -> None:
    """Which classes one net took for which at its end."""
    counts = progress.epochs[-1]["confusion"]
    if not counts:
        return
    classes = info.classes if len(info.classes) == len(counts) else [str(i) for i in range(len(counts))]
    said = _("Confusion matrix of {label}: {share} on the diagonal.")
    view.plotly(
        confusion(counts, classes, label, dark),
        f"confusion-{run.id}",
        said.format(label=label, share=percent(progress.epochs[-1]["test_accuracy"])),
        f"confusion {label}",
        [[_("true class"), *classes], *([name, *row] for name, row in zip(classes, counts, strict=True))],
    )


st.fragment(screen, run_every=EVERY if st.session_state.get("moving") else None)()


def in_python() -> str:
    """The code that trains this race."""
    frame = frame_of_rivals(chosen.design, chosen.bases, chosen.fusions, chosen.width)
    names = [NAMES[title] for title in plan.rivals]
    return snippets.race(net_words.made(chosen), frame, names, plan.settings)


python_code.show(in_python, "train")
