"""The depth map: one value for every pair of depths, as squares that can be picked."""

from collections.abc import Mapping
from math import log10
from typing import Literal

import plotly.graph_objects as go

from dfn.figures.theme import SEQUENTIAL, frame, palette
from dfn.words import N_, _

Quantity = Literal["accuracy", "loss", "stem_gradient"]

TITLES: dict[Quantity, str] = {
    "accuracy": N_("test accuracy, %"),
    "loss": N_("training loss, nats"),
    "stem_gradient": N_("gradient norm of the stem, first step"),
}
CELL, MOST_SIDE = 62, 420
_SCALE = [[place / (len(SEQUENTIAL) - 1), colour] for place, colour in enumerate(SEQUENTIAL)]

Pair = tuple[int, int]


def shown(quantity: Quantity, value: float) -> str:
    """A value as it stands in its square."""
    return f"{100 * value:.0f}" if quantity == "accuracy" else f"{value:.2f}" if quantity == "loss" else f"{value:.2g}"


def depth_map(
    values: Mapping[Pair, float | None],
    quantity: Quantity,
    title: str,
    bounds: tuple[float, float] | None = None,
    picked: Pair | None = None,
    dark: bool = False,
) -> go.Figure:
    """Squares over (deep, shallow); None is a cell without a value yet, drawn as an empty square. Gradients are
    coloured by their power of ten. `bounds` are the values at both ends of the scale, so that several maps can share
    it."""
    colours = palette(dark)
    deep, shallow = (sorted({pair[place] for pair in values}) for place in (0, 1))
    known = {pair: value for pair, value in values.items() if value is not None}
    low, high = bounds or (min(known.values(), default=0.0), max(known.values(), default=1.0))
    side = min(CELL - 6, (MOST_SIDE - 80) // max(1, len(deep)))
    figure = go.Figure()
    _squares(figure, [pair for pair in values if pair not in known], side, {"color": colours["band"]}, colours)
    start, end = sorted(_height(quantity, bound) for bound in (low, high))
    heights = {pair: _height(quantity, value) for pair, value in known.items()}
    end = max(end, start + 1e-9)
    colour = {"color": list(heights.values()), "cmin": start, "cmax": end, "colorscale": _SCALE}
    _squares(figure, list(known), side, colour, colours)
    figure.data[1].update(
        mode="markers+text",
        text=[shown(quantity, value) for value in known.values()],
        textfont={"color": [_ink((height - start) / (end - start)) for height in heights.values()], "size": 13},
        hovertemplate=_("deep %{x}, shallow %{y}: %{text}<extra></extra>"),
    )
    if picked is not None and picked in values:
        ring = {"symbol": "square-open", "size": side, "color": colours["focus"], "line": {"width": 3}}
        figure.add_scatter(
            x=[str(picked[0])], y=[str(picked[1])], mode="markers", marker=ring, hoverinfo="skip", showlegend=False
        )
    figure.update_layout(
        frame(colours, title),
        showlegend=False,
        height=110 + CELL * len(shallow),
        margin={"l": 10, "r": 10, "t": 40, "b": 50},
        clickmode="event+select",
        dragmode=False,
    )
    axis = {"type": "category", "categoryorder": "array", "showgrid": False, "zeroline": False, "fixedrange": True}
    figure.update_xaxes(axis, title=_("deep depth"), categoryarray=[str(depth) for depth in deep])
    figure.update_xaxes(range=[-0.6, len(deep) - 0.4])
    figure.update_yaxes(
        axis, title=_("shallow depth"), categoryarray=[str(depth) for depth in shallow], automargin=True
    )
    figure.update_yaxes(range=[-0.6, len(shallow) - 0.4])
    return figure


def depth_map_alt(values: Mapping[Pair, float | None], quantity: Quantity, title: str) -> str:
    """What the map shows, in words."""
    said = [
        f"{deep} + {shallow}: {_('nothing yet') if value is None else shown(quantity, value)}"
        for (deep, shallow), value in sorted(values.items())
    ]
    text = _("{title}, {quantity}, by deep + shallow depth. {squares}.")
    return text.format(title=title, quantity=_(TITLES[quantity]), squares="; ".join(said))


def _squares(
    figure: go.Figure, pairs: list[Pair], side: int, colour: Mapping[str, object], colours: Mapping[str, str]
) -> None:
    figure.add_scatter(
        x=[str(deep) for deep, _shallow in pairs],
        y=[str(shallow) for _deep, shallow in pairs],
        customdata=[list(pair) for pair in pairs],
        mode="markers",
        marker={"symbol": "square", "size": side, "line": {"color": colours["line"], "width": 1}, **colour},
        selected={"marker": {"opacity": 1.0}},
        unselected={"marker": {"opacity": 1.0}},
        hovertemplate=_("deep %{x}, shallow %{y}: nothing yet<extra></extra>"),
    )


def _height(quantity: Quantity, value: float) -> float:
    """Where a value stands on the colour scale; a loss counts downwards, so that good is bright everywhere."""
    if quantity == "stem_gradient":
        return log10(max(value, 1e-12))
    return -value if quantity == "loss" else value


def _ink(share: float) -> str:
    """Letters that can be read on a square this far up the scale."""
    return "#FFFFFF" if share < 0.5 else "#10151B"
