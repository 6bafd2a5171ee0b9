"""Which run: one of those that kept weights, by its id in the page's address."""

from collections.abc import Iterable

import cached
import link
import lock
import streamlit as st
from maps_data import Shown, run_with_maps, runs_with_maps

from dfn.words import _

KEY = "run"
OF_ONE_RUN = ("epoch", "at", "at2", "a", "b", "compare")  # what the address says of one run means nothing for another


def show() -> Shown | None:
    """A select box over the runs with maps, the newest first; None where there is none, not even the recorded one."""
    found = runs_with_maps(cached.RECORDED)
    wanted = link.read(KEY)
    if wanted and wanted not in found:
        named = run_with_maps(wanted, cached.RECORDED)
        if named:
            wanted = named.run.id
            found = {wanted: named, **found}
    if not found:
        return None
    id = wanted if wanted in found else _newest_fused(found)
    if wanted and wanted not in found:
        st.warning(_("The link names a run that is not here or has kept no weights. This is another one."))
    if st.session_state.get("run-shown", id) != id:  # a link led here, and what it does not say is another run's
        _forget(key for key in OF_ONE_RUN if key not in st.query_params)
    link.write(KEY, id)
    st.session_state["run-shown"] = id
    link.give("run-choice", id)
    st.selectbox(
        _("Run"),
        list(found),
        key="run-choice",
        disabled=lock.on(KEY),
        on_change=_changed,
        format_func=lambda key: _words(found[key]) if key in found else str(key),
        help=_("Every run that kept weights, the newest first. Older ones are opened from the Runs page."),
    )
    return found[id]


def _changed() -> None:
    link.write(KEY, st.session_state["run-choice"])
    _forget(OF_ONE_RUN)


def _forget(keys: Iterable[str]) -> None:
    for key in keys:
        link.write(key, "")


def _newest_fused(found: dict[str, Shown]) -> str:
    """People's own newest fused net, else the recorded one, else whatever there is."""
    fused = (id for id, shown in found.items() if cached.facts(str(shown.run.folder)).kind == "fused")
    return next(fused, next(iter(found)))


def _words(shown: Shown) -> str:
    facts = cached.facts(str(shown.run.folder))
    text = (
        _("recorded: {name} · {data} · seed {seed} · {id}")
        if shown.recorded
        else _("{name} · {data} · seed {seed} · {id}")
    )
    return text.format(name=shown.run.name, data=facts.data, seed=facts.seed, id=shown.run.id[:4])
