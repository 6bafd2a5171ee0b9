"""Runs: everything that was trained, side by side, and what can be done with it."""

from collections.abc import Callable, Sequence

import cached
import link
import streamlit as st
from live import read
from runs_data import KINDS, LIVING, MOST_OVERLAID, STATES, Row, columns, find, labels, list_rows, roles, train_link
from widgets import learning_curves, link_choice, view

from dfn.handout import page
from dfn.runs import launch
from dfn.runs.export import csv
from dfn.runs.run import LONGEST_NAME
from dfn.runs.store import Run, RunError, Store
from dfn.words import N_, _, ngettext

EVERY = 2.0
NEWEST = 4
MOST_LINKED = 30  # ticks that the address carries
A_PAGE = 100
NAMES_SHOWN = 10
ORDERS = {
    "newest": N_("last change"),
    "name": N_("name"),
    "net": N_("net"),
    "data": N_("images"),
    "state": N_("state"),
    "accuracy": N_("test accuracy"),
    "loss": N_("train loss"),
    "seconds": N_("seconds"),
    "size": N_("disk"),
}
COLUMNS = {
    "net": st.column_config.TextColumn(_("Net"), pinned=True, help=_("What it is and how deep its base networks are.")),
    "name": st.column_config.TextColumn(_("Name"), width=80),
    "data": st.column_config.TextColumn(_("Images")),
    "epochs": st.column_config.NumberColumn(_("Epochs")),
    "seed": st.column_config.NumberColumn(_("Seed"), format="%d"),
    "state": st.column_config.TextColumn(_("State"), help=_("Running: which epoch of how many.")),
    "accuracy": st.column_config.NumberColumn(_("Test accuracy"), format="%.1f %%", help=_("After its last epoch.")),
    "loss": st.column_config.NumberColumn(_("Train loss"), format="%.3f", help=_("Mean over its last epoch, in nats.")),
    "seconds": st.column_config.NumberColumn(_("Seconds"), format="%.1f", help=_("Training alone, without waiting.")),
    "parameters": st.column_config.NumberColumn(_("Parameters"), format="localized"),
    "disk": st.column_config.NumberColumn(_("Disk, MB"), format="%.1f", help=_("Checkpoints and kept weights.")),
    "when": st.column_config.DatetimeColumn(_("Last change"), format=_("D MMM YY, HH:mm")),
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
                words=lambda word, names=names: _(names.get(word, word)) if word else _("any"),
                width=160,
            )
            for key, label, of, names in (
                ("of-state", _("State"), lambda row: row.status.state, STATES),
                ("of-images", _("Images"), lambda row: row.facts.data, {}),
                ("of-net", _("Net"), lambda row: row.facts.kind, KINDS),
            )
        }
        order = link_choice.show(
            st.selectbox,
            _("Order by"),
            list(ORDERS),
            "order",
            default="newest",
            words=lambda word: _(ORDERS[word]),
            of="runs",
            width=160,
        )
    asked = str(st.session_state.get("find") or ""), *chosen.values(), order
    if st.session_state.setdefault("runs-asked", asked) != asked:  # another list is read from its beginning
        st.session_state["runs-asked"] = asked
        link.write("part", "")
    words, state, images, net, _order = asked
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
        text = _("{first:,} to {last:,} of {count:,} runs that fit")
        st.caption(text.format(first=first + 1, last=min(first + A_PAGE, len(rows)), count=len(rows)))
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
        alt=_("Every run with its net, images, state, accuracy, loss and size"),
    )
    places = sorted(place for place in event["selection"]["rows"] if 0 <= place < len(rows))
    hidden = [id for id in wanted if id in known and id not in ids]
    state["runs-picked"] = "-".join([*hidden, *(ids[place] for place in places)][:MOST_LINKED])
    link.write("picked", state["runs-picked"])
    if hidden:
        text = ngettext(
            "{count:,} run more ticked, which this list does not show now.",
            "{count:,} runs more ticked, which this list does not show now.",
            len(hidden),
        )
        st.caption(text.format(count=len(hidden)))
    return [rows[place] for place in places]


def actions(ticked: list[Row]) -> None:
    """What can be done with the ticked runs."""
    own = [row.run for row in ticked if not row.recorded]
    living = [row.run for row in ticked if row.status.state in LIVING]
    with st.container(horizontal=True, vertical_alignment="center"):
        text = ngettext("**{count:,} run**", "**{count:,} runs**", len(ticked))
        st.markdown(text.format(count=len(ticked)), width="content")
        st.download_button(
            "CSV",
            lambda: csv([row.run for row in ticked]),
            file_name="runs.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            help=_("Loss of every step and accuracy of every epoch, a line each."),
        )
        if len(ticked) == 1:
            (row,) = ticked
            st.download_button(
                _("Page"),
                lambda: page(row.run)[0],
                file_name=f"{row.run.id}.html",
                mime="text/html",
                icon=":material/html:",
                on_click="ignore",
                help=_("Net, curves and maps as one HTML file that opens anywhere, without a server or a network."),
            )
            if st.button(_("Maps"), icon=":material/grid_view:", disabled=not row.run.snapshots()):
                st.switch_page("app_pages/maps.py", query_params={"run": row.run.id})
            if st.button(_("Train"), icon=":material/show_chart:", help=_("Set the Train page as this run was set.")):
                st.switch_page("app_pages/train.py", query_params=train_link(row.run.recipe))
            if own:
                with st.popover(_("Rename"), icon=":material/edit:"):
                    key = f"runs-name-{row.run.id}"
                    st.text_input(_("Name"), value=row.entry.name, key=key, max_chars=LONGEST_NAME)
                    st.button(_("Rename"), key="runs-rename", on_click=attempt, args=(rename, row.run))
        if living:
            word = _("Cancel") if all(row.status.state == "waiting" for row in ticked) else _("Stop")
            st.button(word, key="runs-stop", icon=":material/stop:", on_click=attempt, args=(launch.stop, living))
        if own:
            st.button(_("Delete"), icon=":material/delete:", on_click=attempt, args=(delete, own))
        st.button(_("Untick all"), on_click=untick)


def notices() -> None:
    """What went wrong, and what was deleted and can be brought back."""
    trouble = st.session_state.pop("runs-trouble", "")
    if trouble:
        st.warning(trouble, icon=":material/error:")
    gone = st.session_state.get("runs-deleted", {})
    if gone:
        with st.container(horizontal=True, vertical_alignment="center"):
            names = ", ".join(gone.values())
            st.text(_("Deleted: {names}.").format(names=names), width="content")  # names are people's own words
            st.button(_("Undo"), icon=":material/undo:", on_click=attempt, args=(restore,))


def trash() -> None:
    """Deleted runs take room on the disk until somebody says that they are not wanted back."""
    try:
        gone = store.trashed()
    except RunError as error:
        st.warning(str(error), icon=":material/error:")
        return
    if not gone:
        return
    with st.popover(_("Trash ({count:,})").format(count=len(gone)), icon=":material/delete_sweep:"):
        size = sum(run.written_status().disk_bytes for run in gone) / 1e6
        text = ngettext(
            "{count:,} deleted run, {size:,.1f} MB on the disk. This cannot be undone.",
            "{count:,} deleted runs, {size:,.1f} MB on the disk. This cannot be undone.",
            len(gone),
        )
        st.markdown(text.format(count=len(gone), size=size))
        names = [f"{run.name} ({run.id[:4]})" for run in gone[:NAMES_SHOWN]]
        st.text("\n".join(names) + ("\n..." if len(gone) > len(names) else ""))
        st.button(_("Delete for good"), type="primary", on_click=attempt, args=(empty_trash,))


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
            _("Nothing has been trained here yet. The runs below were **recorded** with this lab's own command.")
            if rows
            else _("Nothing has been trained here yet."),
            icon=":material/videocam:",
        )
        st.page_link("app_pages/train.py", label=_("Train it yourself"), icon=":material/play_arrow:")
    if not rows:
        trash()
        return
    found = filters(rows)
    if not found:
        st.markdown(_("No run fits."))
        trash()
        return
    ticked = table(one_page(found), {row.entry.id for row in rows})
    disk = sum(row.status.disk_bytes for row in own) / 1e6
    with st.container(horizontal=True, vertical_alignment="center"):
        text = ngettext(
            "{count:,} run of your own, {disk:,.0f} MB on the disk. Tick runs to overlay their curves.",
            "{count:,} runs of your own, {disk:,.0f} MB on the disk. Tick runs to overlay their curves.",
            len(own),
        )
        st.caption(text.format(count=len(own), disk=disk), width="stretch")
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
        text = _("The first {count} of {all} ticked runs; more colours could not be told apart.")
        st.caption(text.format(count=len(shown), all=len(rows)))
    elif not ticked:
        st.caption(_("The newest runs, as none is ticked."))


with st.container(horizontal=True, vertical_alignment="center"):
    st.title(_("What was trained"), anchor=False, width="stretch")
    view.copy_link()
st.markdown(
    _("Every run is a folder that keeps its recipe, its curves and its weights. The same recipe is the same run.")
)
st.text_input(
    _("Find"),
    key="find",
    bind="query-params",
    max_chars=100,
    placeholder=_("fused, digits, seed 3, done ..."),
    label_visibility="collapsed",
    icon=":material/search:",
)
st.fragment(screen, run_every=EVERY if st.session_state.get("runs-moving") else None)()
