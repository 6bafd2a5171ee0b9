"""The sliders that make a fused net. Every choice is part of the page's address."""

from dataclasses import dataclass
from typing import cast

import link
import lock
import streamlit as st

from dfn.data.info import DataInfo
from dfn.design.catalogue import fused
from dfn.design.errors import DesignError
from dfn.design.nodes import SYMMETRIC_JOINS, Join
from dfn.design.paths import exchange
from dfn.design.spec import Design, to_json
from dfn.words import N_, _

JOINS: tuple[Join, ...] = ("sum", "mean", "max", "concat", "gate")
WIDTHS = (4, 8, 16, 32)
DEEPEST, MOST_FUSIONS, MOST_BASES = 110, 12, 4
EXCHANGES = "x"

_JOIN_HELP = N_("""
- **sum** adds the maps: the paper's join
- **mean** divides the sum by the number of base networks
- **max** keeps the larger value
- **concat** puts narrower maps side by side, as an inception module does
- **gate** weighs the maps by learned weights, as a highway net does
""")


@dataclass(frozen=True)
class Chosen:
    """The net that the controls make: its design after exchanges, the depths as set, and for every fusion from
    which base network the block in each lane came."""

    design: Design
    bases: tuple[int, ...]
    fusions: int
    width: int
    join: Join
    origins: tuple[tuple[int, ...], ...]

    @property
    def text(self) -> str:
        return to_json(self.design)


def show(info: DataInfo) -> Chosen:
    """The controls, in the side bar; `info` says what images the net will see."""
    depths = st.container()  # filled last: how many sliders stand here is chosen below
    fusions = _slider(
        _(":green[**Fusions**]"),
        "fusions",
        0,
        MOST_FUSIONS,
        6,
        _("How often the maps are joined. 0: only the logits are averaged (decision fusion). 1: late fusion."),
    )
    join = st.pills(
        _("Join"),
        JOINS,
        default="sum",
        key="join",
        bind="query-params",
        help=_(_JOIN_HELP),
        required=True,
        disabled=lock.on("join"),
    )
    width = st.segmented_control(
        _("Width"),
        WIDTHS,
        default=16,
        key="width",
        bind="query-params",
        disabled=lock.on("width"),
        required=True,
        help=_("Channels of the first stage; the second has twice, the third four times as many."),
    )
    count = st.segmented_control(
        _("Base networks"),
        list(range(2, MOST_BASES + 1)),
        default=2,
        key="bases",
        bind="query-params",
        disabled=lock.on("bases"),
        required=True,
        help=_("The paper fuses two; any number can be fused."),
    )
    about = _("Layers of this base network: stem, convs and classifier.")
    with depths:
        bases = [
            _slider(_(":blue[**Deep depth**]"), "deep", 2, DEEPEST, 50, about),
            _slider(_(":orange[**Shallow depth**]"), "shallow", 2, DEEPEST, 14, about),
        ]
        for k in range(3, min(count, MOST_BASES) + 1):
            bases.append(_slider(_("**Base network {number}**").format(number=k), f"base{k}", 2, DEEPEST, 26, about))
    return _chosen(tuple(bases), fusions, width or 16, cast(Join, join), info)


def exchanged(event: object, chosen: Chosen) -> bool:
    """Note in the address that the blocks of a fusion were exchanged once more, as a click in the drawing says.
    Returns whether there is such a fusion: a message can be forged."""
    fusion = event.get("fusion") if isinstance(event, dict) else None
    if not isinstance(fusion, int) or fusion not in range(1, chosen.fusions + 1) or lock.on(EXCHANGES):
        return False
    turns = _turns(chosen.fusions, len(chosen.bases))
    turns[fusion - 1] = (turns[fusion - 1] + 1) % len(chosen.bases)
    link.write(EXCHANGES, "".join(map(str, turns)) if any(turns) else "")
    return True


def _chosen(bases: tuple[int, ...], fusions: int, width: int, join: Join, info: DataInfo) -> Chosen:
    try:
        for name, value, low, high in (
            *((f"depth {k}", depth, 2, DEEPEST) for k, depth in enumerate(bases, start=1)),
            ("fusions", fusions, 0, MOST_FUSIONS),
            ("width", width, min(WIDTHS), max(WIDTHS)),
        ):
            if not low <= value <= high:  # the browser's bounds are no bounds: a message can be forged
                raise DesignError(name, value, f"from {low} to {high} on this page")
        if fusions == 0 and join not in ("sum", "mean"):
            text = _("Without fusions there is nothing to **{join}**: whole nets meet only in their logits, averaged.")
            st.info(text.format(join=join))
            join = "mean"
        channels, classes = info.shape[0], len(info.classes)
        design = fused(bases=bases, fusions=fusions, width=width, join=join, classes=classes, in_channels=channels)
    except DesignError as error:
        st.error(str(error))
        st.stop()
    turns = _turns(fusions, len(bases)) if join in SYMMETRIC_JOINS else [0] * fusions
    for fusion, times in enumerate(turns, start=1):
        for _turn in range(times):
            design = exchange(design, fusion)
    lanes = range(len(bases))
    origins = tuple(tuple((lane + times) % len(bases) for lane in lanes) for times in turns)
    return Chosen(design, bases, fusions, width, join, origins)


def _turns(fusions: int, bases: int) -> list[int]:
    """How often the blocks of every fusion were exchanged, as the address says (`?x=010010`)."""
    said = link.read(EXCHANGES)[:fusions].ljust(fusions, "0")
    return [int(c) % bases if c in "0123456789" else 0 for c in said]


def _slider(label: str, key: str, low: int, high: int, start: int, about: str) -> int:
    return st.slider(label, low, high, start, key=key, bind="query-params", help=about, disabled=lock.on(key))
