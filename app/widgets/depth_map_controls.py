"""Which depths, how many fusions, and which quantity. Every choice is part of the page's address."""

from dataclasses import dataclass

import lock
import streamlit as st

from dfn.referee.grid import MOST_CELLS, Cell, cells
from dfn.words import _
from widgets import recipe_choice
from widgets.net_controls import WIDTHS

DEEP = (2, 5, 8, 14, 20, 26, 38, 50, 74, 98)
SHALLOW = (2, 5, 8, 14, 20, 26, 38, 50)
FUSIONS = (0, 1, 2, 3, 6, 9, 12)


@dataclass(frozen=True)
class Wanted:
    """The cells of the grid, the width of the nets, and their seed."""

    cells: tuple[Cell, ...]
    width: int
    seed: int


def show() -> Wanted:
    """The controls, in the side bar. Raises DesignError where no cell is left, or too many are."""
    deep = _many(_(":blue[**Deep depths**]"), DEEP, (8, 14, 26, 50), "deeps", _("Layers of the deep base network."))
    shallow = _many(
        _(":orange[**Shallow depths**]"),
        SHALLOW,
        (2, 5, 8, 14),
        "shallows",
        _("Layers of the shallow one. With 2 it is stem and classifier alone: the fused net is then a residual net."),
    )
    fusions = _many(
        _(":green[**Fusions**]"),
        FUSIONS,
        (6,),
        "joins",
        _("How often the two are joined, a map for each. 0: only their logits are averaged. 1: late fusion."),
    )
    width = st.segmented_control(
        _("Width"),
        WIDTHS,
        default=8,
        key="mapwidth",
        disabled=lock.on("mapwidth"),
        bind="query-params",
        required=True,
        help=_("Channels of the first stage."),
    )
    seed = recipe_choice.seed(st)
    text = _("At most {count} nets. Cells whose shallow base would be the deeper one are left out.")
    st.caption(text.format(count=MOST_CELLS))
    grid = tuple(cells(deep, shallow, fusions))
    return Wanted(grid, width if width in WIDTHS else 8, seed)


def _many(label: str, options: tuple[int, ...], start: tuple[int, ...], key: str, about: str) -> list[int]:
    chosen = st.pills(
        label,
        options,
        selection_mode="multi",
        default=list(start),
        key=key,
        bind="query-params",
        help=about,
        disabled=lock.on(key),
    )
    return [value for value in chosen if value in options]
