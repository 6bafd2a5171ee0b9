"""Train: the fused net and its controls learn side by side, live."""

import cached
import streamlit as st
from live import Progress, time_left
from race import line_up
from verdict import Result, verdict
from widgets import data_choice, learning_curves, net_controls, race_controls, recipe_choice, view
from widgets.words import duration, million, percent

from dfn.figures.confusion import confusion
from dfn.runs.store import Run, RunError, Store
from dfn.training.recipe import RecipeError

EVERY = 0.5

with st.sidebar:
    info = data_choice.show()
    plan = recipe_choice.show(info)
    with st.expander("The net", icon=":material/account_tree:"):
        chosen = net_controls.show(info)

st.title("Watch them learn", anchor=False)
st.markdown("Same data, same order, same seed. Which of them finds it hard, and where does the gradient go?")

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


def read(run: Run) -> Progress:
    """What this session knows of a run, brought up to date."""
    known = st.session_state.setdefault("progress", {}).setdefault(str(run.folder), Progress())
    known.update(run)
    return known


def gradient(race: list[tuple[str, str, Run]], known: list[Progress], first: bool) -> dict | None:
    """Gradient norm by place, from stem to last fusion, in the fused net and in the plain ones."""
    groups = []
    for (label, role, _), progress in zip(race, known, strict=True):
        norms = progress.first_norms if first else progress.norms
        if norms and role in ("fused", "plain", "shallow"):
            groups.append({"label": label, "role": role, "bars": gradient_bars(norms["gradient"])})
    if not groups:
        return None
    return {
        "title": "Gradient norm per block",
        "subtitle": "stem to last fusion, log scale",
        "unit": "norm",
        "log": True,
        "groups": groups,
    }


def gradient_bars(norms: dict[str, float]) -> list[dict]:
    """One bar a place; the branches of a fusion become one bar with its parts (norms add as squares)."""
    bars: dict[str, dict] = {}
    for name, value in norms.items():
        place, _, lane = name.partition("/")
        if place == "head":
            continue
        label = place.removeprefix("fusion").removeprefix("block")
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
        parameters = f" · {million(progress.begin['parameters'])} parameters" if progress.begin else ""
        st.markdown(f"**{label}**")
        view.show("net", {**cached.thumbnail(run), "alt": label}, key=f"thumb-{run.id}")
        st.metric(
            "test accuracy",
            percent(last["test_accuracy"]) if last else "–",
            help="Share of the test images called rightly, measured after every epoch with recalibrated batch norm.",
        )
        said = {
            "waiting": f"waiting, place {status.place}" if status.place else "waiting for a free place",
            "running": f"step {status.step:,} of {status.steps:,}",
            "paused": f"paused at step {status.step:,}",
            "done": f"done in {duration(status.seconds)}",
            "failed": "failed",
            "stopped": f"stopped at step {status.step:,}",
            "interrupted": f"interrupted at step {status.step:,}; Go on resumes it",
            "new": "not started",
        }[status.state]
        st.caption(said + parameters)
        if learner := next((r.before for r in runners if r.recipe.id == run.id), ""):
            st.caption(f"comes first: {learner} learns from it")
        if status.state in ("done", "waiting") and status.message:
            st.caption(status.message)
        if status.state == "failed":
            st.warning(status.message, icon=":material/error:")


def screen() -> None:
    """Everything that moves; run twice a second while a net trains."""
    own = entered()
    race = own or cached.recorded_race()
    known = [read(run) for _, _, run in race]
    states = [p.status.state for p in known if p.status]
    # a place for each: what stands below would be drawn anew, without its zoom, if it moved up when one is empty
    buttons, notice, line = st.container(), st.container(), st.container()
    with buttons:
        moving = race_controls.show(store, runners, [run for _, _, run in own], states if own else [], info)
    if moving != (st.session_state.get("moving") is True):
        st.session_state["moving"] = moving
        st.rerun()
    if not own and race:
        notice.info(
            "A **recorded example**: digits, base networks of 50 and 14 layers, width 8, made by this lab's own "
            "command. Press **Play** to train the net that you have set.",
            icon=":material/videocam:",
        )
    with line:
        progress_line(known)
    left, right = st.columns([5, 3])
    with left, st.container(border=True):
        curves = [(run.id, label, role, p) for (label, role, run), p in zip(race, known, strict=True)]
        learning_curves.show(curves, key="curves")
    results = {
        role: Result(label, role, p.epochs[-1]["test_accuracy"], p.epochs[-1]["epoch"])
        for (label, role, _), p in zip(race, known, strict=True)
        if p.epochs
    }
    begin = next((p.begin for p in known if p.begin), None)
    with right:
        with st.container(border=True):
            when = st.radio("Gradient of", ["this step", "the first step"], horizontal=True, key="gradient-of")
            bars = gradient(race, known, first=when == "the first step")
            if bars:
                view.show("bars", bars, key="gradient")
            else:
                st.caption("The gradient norm of every block appears here with the first step.")
        sentence = verdict(results, begin["steps"] // begin["steps_per_epoch"]) if begin and begin["steps"] else ""
        if sentence:
            with st.container(border=True):
                st.markdown(sentence)
    for column, (label, _, run), progress in zip(st.columns(max(1, len(race))), race, known, strict=False):
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
    said = (
        f"about {duration(wait)} left"
        if wait
        else f"place {min(waiting)} in the queue"
        if waiting
        else "standing still"
    )
    st.progress(min(1.0, done), text=f"{100 * done:.0f} % of all steps, {said}")


def outcome(race: list[tuple[str, str, Run]], known: list[Progress]) -> None:
    """What is worth looking at when a race is over."""
    dark = st.context.theme.type == "dark"
    with st.expander("Which classes are taken for which?", icon=":material/grid_on:"):
        for column, (label, _, run), progress in zip(st.columns(2) * 3, race, known, strict=False):
            counts = progress.epochs[-1]["confusion"]
            if counts:
                classes = info.classes if len(info.classes) == len(counts) else [str(i) for i in range(len(counts))]
                figure = confusion(counts, classes, label, dark)
                said = f"Confusion matrix of {label}: {percent(progress.epochs[-1]['test_accuracy'])} on the diagonal."
                column.plotly_chart(figure, key=f"confusion-{run.id}", alt=said, config={"displaylogo": False})
    st.page_link("app_pages/maps.py", label="See what the fused net sees", icon=":material/grid_view:")


st.fragment(screen, run_every=EVERY if st.session_state.get("moving") else None)()
