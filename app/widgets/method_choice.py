"""What is explained, how, and what stands beside it: place, method, class and comparison, all kept in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import link
import lock
import streamlit as st
from attribution_data import INPUT, fitting

from dfn.design.spec import Design
from dfn.insight.methods import METHODS
from dfn.words import N_, _
from widgets import link_choice

DEFAULT = "integrated_gradients"
CALLED, TRUE, UNIT = "called", "true", "unit"
NOTHING = "nothing"
_BESIDE = {
    NOTHING: N_("nothing"),
    "method": N_("another method"),
    "epoch": N_("another epoch"),
    "image": N_("another image"),
    "untrained": N_("before training"),
    "apart": N_("plain deep, trained apart"),
}
_PLACES = {
    INPUT: N_("image"),
    "joined": N_("joined map"),
    "map": N_("map"),
    "deep": N_("deep block"),
    "shallow": N_("shallow block"),
}


@dataclass(frozen=True)
class Beside:
    """What stands beside the picture: `kind` is one of `_BESIDE`, `what` the method, epoch or image, if any."""

    kind: str
    what: str = ""


def place_words(place: str, title: str) -> str:
    """`the image`, `the deep block of fusion 3`, `the joined map of fusion 3`"""
    if place == INPUT:
        return _("the image")
    return _("the {place} of {title}").format(place=spot_words(place), title=title.lower())


def spot_words(place: str) -> str:
    """`image`, `deep block`, `joined map`"""
    return _(_PLACES[place]) if place in _PLACES else _("{name} block").format(name=place)


def place(spots: Sequence[str]) -> str:
    """The image or one of the maps at the chosen fusion."""
    return link_choice.show(
        st.pills,
        _("Explain"),
        list(spots),
        "place",
        INPUT,
        spot_words,
        required=True,
        help=_("The values are given to the pixels of the image, or to the numbers of a map at the chosen fusion."),
    )


def method(at: str, design: Design) -> str:
    """One of the methods that fit the place and the net; the others are named with the reason why not."""
    offered, refused = fitting(at, design)
    said = link.read("method")
    if said in METHODS and said not in offered:
        why = next(reason for reason, names in refused.items() if said in names)
        text = _("{method} is not offered here ({why}). This is {default}.")
        st.caption(text.format(method=_(METHODS[said].title), why=why, default=_(METHODS[DEFAULT].title).lower()))
        link.write("method", "")
    why_not = "; ".join(
        f"{', '.join(_(METHODS[name].title) for name in names)} ({why})" for why, names in refused.items()
    )
    return link_choice.show(
        st.selectbox,
        _("Method"),
        offered,
        "method",
        DEFAULT,
        lambda name: _(METHODS[name].title),
        help=_("Not here: {methods}.").format(methods=why_not) if why_not else None,
        width=260,
    )


def is_unit() -> bool:
    """Whether a number of a map is explained and not the logit of a class."""
    return link.read("target") == UNIT


def target(classes: Sequence[str], called: int, true: int | None) -> str:
    """The class whose logit is explained: `called`, `true` where it is known, or a number (see `class_of`); or `unit`:
    a number of a map."""
    before = {CALLED: _("called: {name}"), TRUE: _("true: {name}")}

    def words(word: str) -> str:
        if word == UNIT:
            return _("none: a unit of a map")
        return before.get(word, "{name}").format(name=classes[class_of(word, called, true)])

    return link_choice.show(
        st.selectbox,
        _("Class"),
        [CALLED, *([] if true is None else [TRUE]), *map(str, range(len(classes))), UNIT],
        "target",
        CALLED,
        words,
        help=_(
            "The class whose logit is shared out: the one that the net calls, the true one, or any. Or no class: one "
            "number of a map at the chosen fusion, in terms of the image."
        ),
    )


def class_of(word: str, called: int, true: int | None) -> int:
    """The class that `called`, `true` or a number stands for, for an image; the called one where no unit can be had."""
    return called if word in (CALLED, UNIT) else true if word == TRUE and true is not None else int(word)


def beside(offered: Mapping[str, Sequence[str]]) -> Beside:
    """What to compare with. `offered` has for each kind what there is to choose from, nothing where nothing is."""
    kinds = [NOTHING, *offered]
    first = {kind: f"{kind}.{whats[0]}" if whats else kind for kind, whats in offered.items()} | {NOTHING: ""}
    said = link.read("beside")
    kind, _dot, what = said.partition(".")
    if said and not (kind in offered and (what in offered[kind] if offered[kind] else not what)):
        st.warning(_("The link names something to stand beside the picture that is not to be had here."))
        link.write("beside", "")
        kind = ""
    kind = kind or NOTHING
    link.give("beside-kind", kind)
    st.pills(
        _("Beside it"),
        kinds,
        key="beside-kind",
        format_func=lambda kind: _(_BESIDE[kind]),
        on_change=_take_kind,
        args=(first,),
        required=True,
        disabled=lock.on("beside"),
    )
    if kind == NOTHING or not offered[kind]:
        return Beside(kind)
    slot = f"beside-{kind}"
    if kind == "image":
        link.give(slot, int(what))
        st.number_input(_("Test image beside it"), 0, len(offered[kind]) - 1, key=slot, on_change=_take, args=(kind,))
    else:
        link.give(slot, what)
        st.selectbox(
            _(_BESIDE[kind]).capitalize(),
            offered[kind],
            key=slot,
            format_func=lambda what: _(METHODS[what].title) if what in METHODS else what,
            on_change=_take,
            args=(kind,),
        )
    return Beside(kind, what)


def _take_kind(first: Mapping[str, str]) -> None:
    link.write("beside", first.get(st.session_state["beside-kind"], ""))


def _take(kind: str) -> None:
    link.write("beside", f"{kind}.{st.session_state[f'beside-{kind}']}")
