"""Depth map: where over deep and shallow depth can a fused net be trained?"""

import json
from typing import Any, cast

import cached
import depth_map_data
import link
import snippets
import streamlit as st
from compare_data import LIVING, begin, statuses
from live import read
from widgets import data_choice, depth_map_controls, link_choice, python_code, training_choice, view
from widgets.words import duration

from dfn.design.errors import DesignError
from dfn.figures.depth_map import TITLES, Quantity, depth_map, depth_map_alt, shown
from dfn.referee.grid import Cell, Reached
from dfn.runs import launch
from dfn.runs.store import Run, RunError, Status, Store
from dfn.training.recipe import Recipe, RecipeError
from dfn.words import N_, _, ngettext

EVERY = 2.0
MOVING = "map-moving"
SHOWN = {"accuracy": N_("accuracy"), "loss": N_("training loss"), "stem_gradient": N_("stem gradient")}
ABOUT: dict[Quantity, str] = {
    "accuracy": N_("Share of the test images called rightly after the last epoch so far."),
    "loss": N_("Mean over the last epoch so far, in nats. Bright is low."),
    "stem_gradient": N_(
        "Norm of the gradient of the stem's weights in the first step, coloured by its power of ten: what of the loss "
        "reaches the first layer before anything is learned."
    ),
}

store = Store()


def title() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(_("Where can depth be trained?"), anchor=False, width="stretch")
        view.copy_link()
    st.markdown(
        _("Every square is one fused net: deep depth across, shallow depth upwards. Pick a square to open its run.")
    )


def buttons(recipes: dict[Cell, Recipe], known: dict[str, tuple[Run, Status]], rows: list[Reached]) -> bool:
    """What it costs, start and stop; returns whether anything is trained."""
    states = [status.state for _run, status in known.values()]
    moving = any(state in LIVING for state in states)
    left = len(recipes) - states.count("done")
    estimate = depth_map_data.seconds_left(rows, steps, example)
    with st.container(horizontal=True, vertical_alignment="center"):
        word = _("Go on") if states and left else _("Start")
        start = st.button(
            word,
            type="primary",
            icon=":material/play_arrow:",
            key="map-start",
            disabled=moving or not left or not info.available,
        )
        stop = st.button(
            _("Stop"),
            icon=":material/stop:",
            key="map-stop",
            disabled=not moving,
            help=_("What was computed is kept."),
        )
        st.markdown(said_left(left, len(recipes), estimate), width="content")
    try:
        if start:
            begin(depth_map_data.columns(recipes), store, again=True)
        elif stop:
            launch.stop(run for run, _status in known.values())
        else:
            return moving
    except RunError as error:
        st.error(_("This did not work: {error}.").format(error=error))
        return moving
    st.rerun()


def said_left(left: int, every: int, estimate: tuple[float, str] | None) -> str:
    """How many nets are to be trained, and about how long that takes."""
    if not left:
        return ngettext("The {count} net is trained", "All {count} nets are trained", every).format(count=every)
    nets = ngettext("{count:,} net of {all} to train", "{count:,} nets of {all} to train", left)
    nets = nets.format(count=left, all=every)
    if not estimate:
        return nets
    seconds, pace = estimate
    return _("{nets}, about {duration} {pace}").format(nets=nets, duration=duration(seconds), pace=pace)


def screen() -> None:
    """Everything that moves; looked at every two seconds while a net trains."""
    known = statuses(list(recipes.values()), store)
    progress = {id: read(run) for id, (run, status) in known.items() if status.step}
    rows = depth_map_data.measured(recipes, known, progress, shape)
    moving = buttons(recipes, known, rows)
    if moving != st.session_state.get(MOVING, False):
        st.session_state[MOVING] = moving
        st.rerun()
    if not info.available:
        text = _("{title} is not on this machine yet. `dfn data fetch {name}` downloads it.")
        st.warning(text.format(title=_(info.title), name=info.name))
    for message in sorted({status.message for _run, status in known.values() if status.state == "failed"}):
        st.warning(_(message), icon=":material/error:")
    own = bool(known)
    if not own and example:
        rows = example.cells
        st.info(
            _(
                "A **recorded map**, made by this lab's own command: digits, width {width}, {epochs} epochs, one seed; "
                "{machine}. Press **Start** to train what you have set."
            ).format(width=example.width, epochs=example.epochs, machine=example.machine),
            icon=":material/videocam:",
        )
    said = link_choice.show(
        st.pills, _("Show"), list(SHOWN), "show", "accuracy", lambda word: _(SHOWN[word]), required=True
    )
    maps, square = st.columns([3, 2])
    with square, st.container(border=True):
        picked = chosen(rows, own)
    with maps:
        draw(rows, cast(Quantity, said), picked)


def draw(rows: list[Reached], quantity: Quantity, picked: Cell) -> None:
    """A map for every number of fusions, under one scale."""
    dark = st.context.theme.type == "dark"
    bounds = depth_map_data.bounds(rows, quantity)
    for fusions in sorted({row.cell.fusions for row in rows}):
        values = depth_map_data.values(rows, quantity, fusions)
        name = _("decision fusion") if fusions == 0 else counted(fusions)
        here = (picked.deep, picked.shallow) if picked.fusions == fusions else None
        with st.container(border=True):
            event = st.plotly_chart(
                depth_map(values, quantity, f"{name}: {_(TITLES[quantity])}", bounds, here, dark),
                key=f"map-{fusions}-{st.session_state.get('map-clicks', 0)}",
                on_select="rerun",
                selection_mode="points",
                alt=depth_map_alt(values, quantity, name),
                config={"displaylogo": False, "displayModeBar": False},
            )
        take(event, fusions, rows)
    chance = _("One seed a square: neighbours that differ little may have changed places by chance.")
    st.caption(f"{_(ABOUT[quantity])} {chance}")


def take(event: Any, fusions: int, rows: list[Reached]) -> None:
    """Note a clicked square in the address, where there is such a square: a message can be forged."""
    try:
        deep, shallow = event["selection"]["points"][0]["customdata"]
        cell = Cell(int(deep), int(shallow), fusions)
    except (KeyError, IndexError, TypeError, ValueError):
        return
    if cell in {row.cell for row in rows}:
        link.write("cell", cell.name)
    # A new element has nothing selected in it: the next click, also one on the same square, is seen as one.
    st.session_state["map-clicks"] = st.session_state.get("map-clicks", 0) + 1
    st.rerun()


def chosen(rows: list[Reached], own: bool) -> Cell:
    """The picked cell, its figures and its run; the select box does all that a click does."""
    names = {row.cell.name: row for row in rows}
    name = link_choice.show(
        st.selectbox, _("Square"), list(names), "cell", rows[-1].cell.name, lambda name: words(names[name].cell)
    )
    row = names[name]
    figures = {
        _("test accuracy"): "–" if row.accuracy is None else f"{shown('accuracy', row.accuracy)} %",
        _("training loss"): "–" if row.loss is None else _("{loss} nats").format(loss=shown("loss", row.loss)),
        _("stem gradient"): "–" if row.stem_gradient is None else shown("stem_gradient", row.stem_gradient),
        _("training"): "–" if row.seconds is None else duration(row.seconds),
    }
    for label, value in figures.items():
        st.markdown(f"{label}: **{value}**")
    if own and row.state != "new":
        with st.container(horizontal=True):
            st.page_link(
                "app_pages/runs.py",
                label=_("Open its run"),
                icon=":material/history:",
                query_params={"picked": row.run},
            )
            if row.state == "done":
                st.page_link(
                    "app_pages/maps.py",
                    label=_("Its maps"),
                    icon=":material/grid_view:",
                    query_params={"run": row.run},
                )
    return row.cell


def words(cell: Cell) -> str:
    """`26 + 8, 6 fusions`"""
    return f"{cell.deep} + {cell.shallow}, {counted(cell.fusions)}"


def counted(fusions: int) -> str:
    """`6 fusions`"""
    return ngettext("{count} fusion", "{count} fusions", fusions).format(count=fusions)


with st.sidebar:
    info = data_choice.show()
    settings = training_choice.show(info)
    try:
        wanted = depth_map_controls.show()
        side = settings.get("size") or info.shape[1]
        shape = (info.shape[0], side, side)
        steps = settings["epochs"] * ((settings.get("train_limit") or info.train_size) // settings["batch_size"])
        text = json.dumps(settings | {"seed": wanted.seed})
        recipes = cached.depth_grid(wanted.cells, wanted.width, len(info.classes), text, shape)
        refusal = ""
    except (DesignError, RecipeError) as error:
        refusal = str(error)
title()
example = cached.recorded_map(cached.RECORDED_MAP)
if refusal:
    st.error(refusal)
    st.stop()
st.fragment(screen, run_every=EVERY if st.session_state.get(MOVING) else None)()
python_code.show(
    lambda: snippets.depth_map(wanted.cells, wanted.width, len(info.classes), json.loads(text), shape[0]), "depth-map"
)
