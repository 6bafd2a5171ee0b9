"""The card of one method: how it stands to deep fusion, its source, its net, and its numbers beside the fused net's."""

import cached
import method_data
import method_tree
import streamlit as st

from dfn.data.info import DataInfo
from dfn.design.spec import to_json
from dfn.training.comparisons import Frame, Method, label, methods
from dfn.training.recipe import Recipe
from dfn.words import _
from widgets import method_figures, view

HEAD = "card-head"


def show(method: Method, frame: Frame, size: str, info: DataInfo) -> None:
    """The card; `size` is the word for the frame."""
    *before, recipe = method_data.recipes(method, frame, info)
    fused = method_data.recipes(methods()["fused"], frame, info)[-1]
    with st.container(border=True):
        with st.container(key=HEAD):
            _heading(method, frame)
        source, status = method_tree.linked(method.source), _(method_data.STATUS[method.status])
        st.markdown(_("**Source.** {source} ({status}).").format(source=source, status=status))
        led = method_data.hint(recipe, before[-1], info.shape) if before else None
        for first in before:
            _net(first, info, _("First **{label}** is trained.").format(label=label(first)), led[0] if led else "")
        _net(recipe, info, _words(recipe, fused, taught=bool(before)), led[1] if led else "")
        beside = "plain-deep" if method.name == "fused" else "fused"
        _numbers(recipe, method_data.recipes(methods()[beside], frame, info)[-1], info)
        method_figures.show(method, recipe, fused, size, info)


def _heading(method: Method, frame: Frame) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(method.title[0].upper() + method.title[1:], anchor=False, width="stretch")
        train, compare = _("Train it beside the fused net"), _("Compare it over seeds")
        if method.name == "fused":
            train, compare = _("Train it beside its controls"), _("Compare it with its controls")
        if st.button(train, type="primary", icon=":material/play_arrow:", key="card-train"):
            st.switch_page("app_pages/train.py", query_params=method_tree.train_address(method, frame))
        if st.button(compare, icon=":material/balance:", key="card-compare"):
            st.switch_page("app_pages/compare.py", query_params=method_tree.compare_address(method, frame))
    st.markdown(f"**{_(method.family).capitalize()}.** {_(method.relation)}")
    st.latex(method.formula)


def _words(recipe: Recipe, fused: Recipe, *, taught: bool) -> str:
    """What is drawn, what sets it apart from the fused net without being seen, and what its loss is."""
    name = (_("Then **{label}**") if taught else "**{label}**").format(label=label(recipe))
    unseen = ", ".join(method_data.apart(recipe, fused))
    if recipe.id == fused.id:
        words = _("{name}: a block is as many bars as it has convs, a ring joins the blocks before it.")
    elif method_data.same_net(recipe.design, fused.design):
        words = _("{name}: the fused net, block for block. What differs is **{unseen}**.")
    elif unseen:
        words = _("{name}, drawn from the design that is trained. Not seen in it: **{unseen}**.")
    else:
        words = _("{name}, drawn from the design that is trained.")
    loss = _(method_data.LOSSES.get(recipe.objective, ""))
    return f"{words.format(name=name, unseen=unseen)} {loss}"


def _net(recipe: Recipe, info: DataInfo, words: str, marked: str) -> None:
    st.markdown(words)
    drawn = cached.drawing(to_json(recipe.design), info.shape, None)
    alt = _("The net {label}").format(label=label(recipe))
    view.show("net", method_data.drawing(drawn, alt, marked), key=f"card-net-{recipe.id}")


def _numbers(recipe: Recipe, other: Recipe, info: DataInfo) -> None:
    """What the net has, each number with that of the other net."""
    found = method_data.counts(recipe.design, other.design, info.shape)
    for column, count in zip(st.columns(len(found)), found, strict=True):
        with column:
            view.figure(count.own, count.name, f"{label(other)}: {count.other}")
    if recipe.objective != "cross-entropy":
        st.caption(_("Of the net that is left; what belongs to the training alone is not counted."))
