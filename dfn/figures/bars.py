"""Bars of several nets under one scale, as a still figure of what the view `bars` draws."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from dfn.figures.theme import frame, palette

FEW = 8  # bars of a group that have room for their numbers


def bars(data: Mapping[str, Any], dark: bool = False) -> go.Figure:
    """`data` is that of the view: `title`, `subtitle`, `unit`, `log` and `groups` of bars with a label and a role."""
    colours = palette(dark)
    figure = go.Figure()
    for group in data["groups"]:
        figure.add_bar(
            x=[bar["label"] for bar in group["bars"]],
            y=[bar["value"] for bar in group["bars"]],
            name=group["label"],
            marker={"color": colours[group["role"]]},
            texttemplate="%{y:.3g}" if len(group["bars"]) <= FEW else None,
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{group['label']}, %{{x}}: %{{y:.3g}} {data['unit']}<extra></extra>",
        )
    figure.update_layout(
        frame(colours, ", ".join(filter(None, (data["title"], data["subtitle"])))),
        height=340,
        margin={"l": 60, "r": 20, "t": 40, "b": 60},
        legend={"orientation": "h", "y": -0.18},
    )
    figure.update_xaxes(type="category")
    scale = "log" if data["log"] else "linear"
    figure.update_yaxes(
        title=data["unit"], gridcolor=colours["line"], type=scale, rangemode="tozero", exponentformat="power"
    )
    return figure
