"""Curves of several nets in one still figure, labelled at their ends."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from dfn.figures.theme import frame, palette
from dfn.words import _

Curve = tuple[str, Sequence[float], Sequence[float]]


def curves(
    series: Mapping[str, Curve], title: str, x_title: str, y_title: str, percent: bool = False, dark: bool = False
) -> go.Figure:
    """One line a net: `series` maps a name to (role, x values, y values); titles name the quantity and its unit."""
    colours = palette(dark)
    figure = go.Figure()
    for name, (role, x, y) in series.items():
        figure.add_scatter(
            x=list(x),
            y=list(y),
            name=name,
            mode="lines+text",
            text=[""] * (len(x) - 1) + [f" {name}"] if len(x) else None,
            textposition="middle right",
            textfont={"color": colours[f"{role}_text"]},
            line={"color": colours[role], "width": 2.5 if role == "fused" else 1.7},
            cliponaxis=False,
            hovertemplate=_("{name}: {value} at {x_title} {x}<extra></extra>").format(
                name=name, value="%{y:.1%}" if percent else "%{y:.3f}", x_title=x_title, x="%{x}"
            ),
        )
    figure.update_layout(
        frame(colours, title),
        showlegend=False,
        height=340,
        margin={"l": 60, "r": 130, "t": 40, "b": 50},
    )
    figure.update_xaxes(title=x_title, gridcolor=colours["line"], zeroline=False)
    figure.update_yaxes(
        title=y_title, gridcolor=colours["line"], rangemode="tozero", tickformat=".0%" if percent else None
    )
    return figure
