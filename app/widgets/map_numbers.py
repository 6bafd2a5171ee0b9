"""What the maps of one place say in numbers, now and at the first kept epoch. A sentence goes with every number."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st

from dfn.insight import maps
from dfn.insight.maps import Place, Stack
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
    when = "Before training:" if epochs[0] == 0 else f"After epoch {epochs[0]}:"
    now, then = (measured(place, {name: stacks[name][epoch] for name in place.names}) for epoch in (at, 0))
    for column, number, first in zip(st.columns(3), now, then, strict=False):
        with column:
            figure(number.value, number.label, f"{number.about} {when} {first.value}.")


def measured(place: Place, found: Mapping[str, Stack]) -> list[Number]:
    """The numbers for the maps (channels, rows, columns) of a place at one epoch."""
    if not place.blocks:
        about = "Share of the positions that the ReLU left at zero."
        return [Number("silent positions", percent(maps.silent(found[place.names[0]])), about)]
    blocks, lanes = [found[name] for name in place.blocks], place.lanes
    shares = [_percent(share) for share in maps.shares(blocks)]
    others = ", ".join(f"{lane} {share}" for lane, share in zip(lanes[1:], shares[1:], strict=True))
    about = f"Its part in the summed |values| of all blocks; {others}."
    numbers = [Number(f"share of the {lanes[0]} block", shares[0], about)]
    a, b = blocks[0], blocks[-1]
    if a.shape == b.shape:  # after a concat every block has channels of its own
        about = "1: one is a multiple of the other. 0: nothing in common. −1: they cancel."
        numbers.append(Number(f"cosine of {lanes[0]} and {lanes[-1]}", _two_places(maps.cosine(a, b)), about))
        about = f"Share of the positions where one of {lanes[0]} and {lanes[-1]} is positive, the other negative."
        numbers.append(Number("opposite signs", percent(maps.opposite_signs(a, b)), about))
    return numbers


def _percent(share: float) -> str:
    return percent(share) if math.isfinite(share) else "–"


def _two_places(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else "–"
