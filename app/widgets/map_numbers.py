"""What the maps of one place say in numbers, now and at the first kept epoch. A sentence goes with every number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from dfn.insight import maps
from dfn.insight.maps import Place, Stack, lane_words
from dfn.words import _
from widgets.view import figure
from widgets.words import percent


@dataclass(frozen=True)
class Number:
    """One measured number as people read it, and what it says."""

    label: str
    value: str
    about: str


def show(place: Place, stacks: Mapping[str, Stack], epochs: Sequence[int], at: int) -> None:
    """Cards for the maps `stacks` of a place; `at` is the index of the epoch on show."""
    when = _("Before training: {value}.") if epochs[0] == 0 else _("After epoch {epoch}: {value}.")
    now, then = (measured(place, {name: stacks[name][epoch] for name in place.names}) for epoch in (at, 0))
    for column, number, first in zip(st.columns(3), now, then, strict=False):
        with column:
            figure(number.value, number.label, f"{number.about} {when.format(epoch=epochs[0], value=first.value)}")


def measured(place: Place, found: Mapping[str, Stack]) -> list[Number]:
    """The numbers for the maps (channels, rows, columns) of a place at one epoch."""
    if not place.blocks:
        about = _("Share of the positions that the ReLU left at zero.")
        return [Number(_("silent positions"), percent(maps.silent(found[place.names[0]])), about)]
    blocks, lanes = [found[name] for name in place.blocks], [lane_words(lane) for lane in place.lanes]
    shares = [_percent(share) for share in maps.shares(blocks)]
    other = _("{lane} {share}")
    others = ", ".join(other.format(lane=lane, share=share) for lane, share in zip(lanes[1:], shares[1:], strict=True))
    about = _("Its part in the summed |values| of all blocks; {others}.").format(others=others)
    numbers = [Number(_("share of the {lane} block").format(lane=lanes[0]), shares[0], about)]
    a, b = blocks[0], blocks[-1]
    if a.shape == b.shape:  # after a concat every block has channels of its own
        both = {"one": lanes[0], "other": lanes[-1]}
        about = _("1: one is a multiple of the other. 0: nothing in common. −1: they cancel.")
        numbers.append(Number(_("cosine of {one} and {other}").format(**both), _two_places(maps.cosine(a, b)), about))
        about = _("Share of the positions where one of {one} and {other} is positive, the other negative.")
        about = about.format(**both)
        numbers.append(Number(_("opposite signs"), percent(maps.opposite_signs(a, b)), about))
    return numbers


def _percent(share: float) -> str:
    return percent(share) if math.isfinite(share) else "–"


def _two_places(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else "–"
