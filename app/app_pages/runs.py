"""Runs: everything that was trained, side by side, and what can be done with it."""

from collections.abc import Callable, Sequence

import cached
import link
import streamlit as st
from live import Progress
from runs_data import LIVING, MOST_OVERLAID, Row, columns, find, labels, list_rows, roles, train_link
from widgets import learning_curves, link_choice, view
from widgets.words import plural

from dfn.handout import page
from dfn.runs import launch
from dfn.runs.export import csv
from dfn.runs.run import LONGEST_NAME
from dfn.runs.store import Run, RunError, Store

EVERY = 2.0
NEWEST = 4
MOST_LINKED = 30  # ticks that the address carries
A_PAGE = 100
NAMES_SHOWN = 10
ORDERS = {
    "newest": "last change",
    "name": "name",
    "net": "net",
    "data": "images",
    "state": "state",
    "accuracy": "test accuracy",
    "loss": "train loss",
    "seconds": "seconds",
    "size": "disk",
}
COLUMNS = {
    "net": st.column_config.TextColumn("Net", pinned=True, help="What it is and how deep its base networks are."),
    "name": st.column_config.TextColumn("Name", width=80),
    "data": st.column_config.TextColumn("Images"),
    "epochs": st.column_config.NumberColumn("Epochs"),
    "seed": st.column_config.NumberColumn("Seed", format="%d"),
    "state": st.column_config.TextColumn("State", help="Running: which epoch of how many."),
    "accuracy": st.column_config.NumberColumn("Test accuracy", format="%.1f %%", help="After its last epoch."),
    "loss": st.column_config.NumberColumn("Train loss", format="%.3f", help="Mean over its last epoch, in nats."),
    "seconds": st.column_config.NumberColumn("Seconds", format="%.1f", help="Training alone, without waiting."),
    "parameters": st.column_config.NumberColumn("Parameters", format="localized"),
    "disk": st.column_config.NumberColumn("Disk, MB", format="%.1f", help="Checkpoints and kept weights."),
    "when": st.column_config.DatetimeColumn("Last change", format="D MMM YY, HH:mm"),
}

store = Store()


def attempt(action: Callable[..., None], *arguments: object) -> None:
    """Do what a button says; a sentence where it cannot be done."""
    try:
        action(*arguments)
    except RunError as error:
        st.session_state["runs-trouble"] = str(error)


def delete(runs: Sequence[Run]) -> None:
    for run in runs:
        name = run.name
        store.delete(run.id)
        st.session_state.setdefault("runs-deleted", {})[run.id] = name
    untick()


def restore() -> None:
    for id in list(st.session_state.get("runs-deleted", {})):
        st.session_state["runs-deleted"].pop(id)
        store.restore(id)


def empty_trash() -> None:
    store.purge_trash()
    st.session_state.pop("runs-deleted", None)


def rename(run: Run) -> None:
    run.rename(str(st.session_state.get(f"runs-name-{run.id}") or "")[:LONGEST_NAME])


def untick() -> None:
    link.write("picked", "")


def read(run: Run) -> Progress:
    """What this session knows of a run, brought up to date."""
    known = st.session_state.setdefault("progress", {}).setdefault(str(run.folder), Progress())
    known.update(run)
    return known


def filters(rows: list[Row]) -> list[Row]:
    """The choices above the list; returns the rows that fit, in the chosen order."""
    with st.container(horizontal=True):
        chosen = {
            key: link_choice.show(
                st.selectbox,
                label,
                ["", *sorted({of(row) for row in rows})],
                key,
                default="",
                words=lambda word: word or "any",
                width=160,
            )
            for key, label, of in (
                ("of-state", "State", lambda row: row.status.state),
                ("of-images", "Images", lambda row: row.facts.data),
                ("of-net", "Net", lambda row: row.facts.kind),
            )
        }
        order = link_choice.show(
            st.selectbox, "Order by", list(ORDERS), "order", default="newest", words=ORDERS.__getitem__, width=160
        )
    asked = str(st.session_state.get("find") or ""), *chosen.values(), order
    if st.session_state.setdefault("runs-asked", asked) != asked:  # another list is read from its beginning
        st.session_state["runs-asked"] = asked
        link.write("part", "")
    words, state, images, net, _ = asked
    return find(rows, words, state=state, data=images, net=net, sort=order)


def one_page(rows: list[Row]) -> list[Row]:
    """The part of the list that goes to the browser."""
    pages = -(-len(rows) // A_PAGE)
    if pages < 2:
        return rows
    said = link.read("part")
    number = min(max(1, int(said)), pages) if said.isdecimal() and len(said) < 9 else 1
    first = (number - 1) * A_PAGE
    st.session_state["runs-part"] = number
    with st.container(horizontal=True, vertical_alignment="center"):
        st.pagination(pages, key="runs-part", on_change=turn_page)
        st.caption(f"{first + 1:,} to {min(first + A_PAGE, len(rows)):,} of {len(rows):,} runs that fit")
    return rows[first : first + A_PAGE]


def turn_page() -> None:
    link.write("part", str(st.session_state["runs-part"]))


def table(rows: list[Row], known: set[str]) -> list[Row]:
    """The list, in which runs can be ticked; returns the ticked ones. `known` are the runs that there are."""
    said, state = link.read("picked"), st.session_state
    wanted, ids = said.split("-"), [row.entry.id for row in rows]
    # A tick belongs to a place in the list, and only a new list takes ticks from us: so it is another one where other
    # runs stand there, and where the address was changed by somebody else than this list.
    if said != state.get("runs-picked", ""):
        state["runs-version"] = state.get("runs-version", 0) + 1
    key = f"runs-{state.get('runs-version', 0)}-{hash(tuple(ids))}"
    event = st.dataframe(
        columns(rows),
        hide_index=True,
        column_config=COLUMNS,
        height=min(38 + 35 * len(rows), 420),
        key=key,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [place for place, id in enumerate(ids) if id in wanted]}},
        placeholder="–",
        alt="Every run with its net, images, state, accuracy, loss and size",
    )
    places = sorted(place for place in event["selection"]["rows"] if 0 <= place < len(rows))
    hidden = [id for id in wanted if id in known and id not in ids]
    state["runs-picked"] = "-".join([*hidden, *(ids[place] for place in places)][:MOST_LINKED])
    link.write("picked", state["runs-picked"])
    if hidden:
        st.caption(f"{plural(len(hidden), 'run')} more ticked, which this list does not show now.")
    return [rows[place] for place in places]


def actions(ticked: list[Row]) -> None:
    """What can be done with the ticked runs."""
    own = [row.run for row in ticked if not row.recorded]
    living = [row.run for row in ticked if row.status.state in LIVING]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{plural(len(ticked), 'run')}**", width="content")
        st.download_button(
            "CSV",
            lambda: csv([row.run for row in ticked]),
            file_name="runs.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help="Loss of every step and accuracy of every epoch, a line each.",
        )
        if len(ticked) == 1:
            (row,) = ticked
            st.download_button(
                "Page",
                lambda: page(row.run)[0],
                file_name=f"{row.run.id}.html",
                mime="text/html",
                icon=":material/html:",
                on_click="ignore",
                help="Net, curves and maps as one HTML file that opens anywhere, without a server or a network.",
            )
            if st.button("Maps", icon=":material/grid_view:", disabled=not row.run.snapshots()):
                st.switch_page("app_pages/maps.py", query_params={"run": row.run.id})
            if st.button("Train", icon=":material/show_chart:", help="Set the Train page as this run was set."):
                st.switch_page("app_pages/train.py", query_params=train_link(row.run.recipe))
            if own:
                with st.popover("Rename", icon=":material/edit:"):
                    st.text_input("Name", value=row.entry.name, key=f"runs-name-{row.run.id}", max_chars=LONGEST_NAME)
                    st.button("Rename", key="runs-rename", on_click=attempt, args=(rename, row.run))
        if living:
            word = "Cancel" if all(row.status.state == "waiting" for row in ticked) else "Stop"
            st.button(word, key="runs-stop", icon=":material/stop:", on_click=attempt, args=(launch.stop, living))
        if own:
            st.button("Delete", icon=":material/delete:", on_click=attempt, args=(delete, own))
        st.button("Untick all", on_click=untick)


def notices() -> None:
    """What went wrong, and what was deleted and can be brought back."""
    trouble = st.session_state.pop("runs-trouble", "")
    if trouble:
        st.warning(trouble, icon=":material/error:")
    gone = st.session_state.get("runs-deleted", {})
    if gone:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Deleted: {', '.join(gone.values())}.", width="content")  # names are people's own words
            st.button("Undo", icon=":material/undo:", on_click=attempt, args=(restore,))


def trash() -> None:
    """Deleted runs take room on the disk until somebody says that they are not wanted back."""
    try:
        gone = store.trashed()
    except RunError as error:
        st.warning(str(error), icon=":material/error:")
        return
    if not gone:
        return
    with st.popover(f"Trash ({len(gone):,})", icon=":material/delete_sweep:"):
        size = sum(run.written_status().disk_bytes for run in gone) / 1e6
        st.markdown(f"{plural(len(gone), 'deleted run')}, {size:,.1f} MB on the disk. This cannot be undone.")
        names = [f"{run.name} ({run.id[:4]})" for run in gone[:NAMES_SHOWN]]
        st.text("\n".join(names) + ("\n..." if len(gone) > len(names) else ""))
        st.button("Delete for good", type="primary", on_click=attempt, args=(empty_trash,))


def screen() -> None:
    """The whole page; looked at again every two seconds while something is trained."""
    rows = list_rows(cached.run_index(store.root), cached.run_index(cached.RECORDED))
    own = [row for row in rows if not row.recorded]
    moving = any(row.status.state in LIVING for row in own)
    if moving != st.session_state.get("runs-moving", False):
        st.session_state["runs-moving"] = moving
        st.rerun()
    notices()
    if not own:
        st.info(
            "Nothing has been trained here yet. The runs below were **recorded** with this lab's own command."
            if rows
            else "Nothing has been trained here yet.",
            icon=":material/videocam:",
        )
        st.page_link("app_pages/train.py", label="Train it yourself", icon=":material/play_arrow:")
    if not rows:
        trash()
        return
    found = filters(rows)
    if not found:
        st.markdown("No run fits.")
        trash()
        return
    ticked = table(one_page(found), {row.entry.id for row in rows})
    disk = sum(row.status.disk_bytes for row in own) / 1e6
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{plural(len(own), 'run')} of your own, {disk:,.0f} MB on the disk. Tick runs to overlay their curves.",
            width="stretch",
        )
        trash()
    if ticked:
        actions(ticked)
    overlay(ticked or ([row for row in found if row.status.step] or found)[:NEWEST], bool(ticked))


def overlay(rows: list[Row], ticked: bool) -> None:
    """The curves of some runs over each other."""
    shown = rows[:MOST_OVERLAID]
    colours = roles([row.facts for row in shown])
    curves = [
        (row.entry.id, label, role, read(row.run))
        for row, label, role in zip(shown, labels(shown), colours, strict=True)
    ]
    with st.container(border=True):
        learning_curves.show(curves, key="runs-curves")
    if len(rows) > len(shown):
        st.caption(f"The first {len(shown)} of {len(rows)} ticked runs; more colours could not be told apart.")
    elif not ticked:
        st.caption("The newest runs, as none is ticked.")


with st.container(horizontal=True, vertical_alignment="center"):
    st.title("What was trained", anchor=False, width="stretch")
    view.copy_link()
st.markdown("Every run is a folder that keeps its recipe, its curves and its weights. The same recipe is the same run.")
st.text_input(
    "Find",
    key="find",
    bind="query-params",
    max_chars=100,
    placeholder="fused, digits, seed 3, done ...",
    label_visibility="collapsed",
    icon=":material/search:",
)
st.fragment(screen, run_every=EVERY if st.session_state.get("runs-moving") else None)()
