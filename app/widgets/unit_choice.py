"""Which number of a map is explained instead of a class: a map at the chosen fusion, channel, row, column."""

import re
from collections.abc import Mapping

import link
import lock
import streamlit as st
from attribution_data import INPUT, spots

from dfn.insight.maps import Place, Stack
from dfn.insight.methods import Unit
from dfn.words import N_, _
from widgets import map_fields, map_pins
from widgets.method_choice import place_words, spot_words

POSITION = re.compile(r"(\w{1,12})\.(\d{1,4})\.(\d{1,4})\.(\d{1,4})")
SIZES = (N_("Channel"), N_("Row"), N_("Column"))


def show(place: Place, maps: Mapping[str, Stack]) -> Unit | None:
    """The unit that the address names; where it names none, the value that is pinned on the Maps page, or the greatest
    of the last map at this place. None where this place has no maps, only logits."""
    named = {spot: name for spot, name in spots(place).items() if spot != INPUT and maps[name].ndim == 3}
    if not named:
        st.warning(_("Here only logits meet: there is no unit of a map to explain."))
        return None
    said = POSITION.fullmatch(link.read("unit"))
    spot = said.group(1) if said and said.group(1) in named else list(named)[-1]
    stack = maps[named[spot]]
    start = map_pins.first_place(stack.shape) or map_fields.greatest(stack)
    position = list(start.values())
    if said and said.group(1) == spot:
        numbers = [int(number) for number in said.groups()[1:]]
        position = [min(number, size - 1) for number, size in zip(numbers, stack.shape, strict=True)]
    if link.read("unit") and link.read("unit") != _words(spot, position):
        st.warning(
            _("The link names a unit that this net does not have here. This is {unit}.").format(
                unit=_words(spot, position)
            )
        )
        link.write("unit", _words(spot, position))
    link.give("unit-spot", spot)
    st.pills(
        _("Map of the unit"),
        list(named),
        key="unit-spot",
        required=True,
        on_change=_take,
        disabled=lock.on("unit"),
        format_func=spot_words,
    )
    for column, label, size, number in zip(st.columns(3), SIZES, stack.shape, position, strict=True):
        link.give(_slot(label), number)
        column.number_input(_(label), 0, size - 1, key=_slot(label), on_change=_take, disabled=lock.on("unit"))
    value = float(stack[tuple(position)])
    st.caption(
        _("Its value after this epoch is {value}. Click a number of a map on the Maps page to have it here.").format(
            value=f"{value:.3g}"
        )
    )
    return Unit(named[spot], *position)


def in_words(unit: Unit, title: str) -> str:
    """`unit 3, 4, 5 of the deep block of fusion 2`"""
    place = place_words(unit.at.split("/")[1] if "/" in unit.at else "map", title)
    position = {"channel": unit.channel, "row": unit.row, "column": unit.column}
    return _("unit {channel}, {row}, {column} of {place}").format(place=place, **position)


def _slot(label: str) -> str:
    return f"unit-{label.lower()}"


def _words(spot: str, position: list[int]) -> str:
    return ".".join(map(str, [spot, *position]))


def _take() -> None:
    position = [st.session_state[_slot(label)] for label in SIZES]
    link.write("unit", _words(st.session_state["unit-spot"], position))
