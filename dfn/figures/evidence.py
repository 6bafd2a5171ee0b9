"""Coarse and fine evidence along a net, as a still figure."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dfn.figures.theme import frame, palette
from dfn.words import N_, _

PANELS = {
    "coarse": N_("coarse: the shape alone"),
    "fine": N_("fine: the texture alone"),
    "both": N_("both together"),
}

Line = tuple[str, Sequence[str], Mapping[str, Sequence[float]]]
"""The role, the places, and at these the shares `coarse`, `fine` and `both`."""


def evidence(
    lines: Mapping[str, Line],
    places: Sequence[str],
    stages: Sequence[tuple[str, str, str]],
    dark: bool = False,
) -> go.Figure:
    """The share of a map's variance that goes with each factor, place by place: a panel for each factor, a line for
    each of `lines` by name. `places` are in the order of the net, `stages` their (words, first place, last place)."""
    colours = palette(dark)
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.07, subplot_titles=[_(title) for title in PANELS.values()]
    )
    for row, factor in enumerate(PANELS, start=1):
        for name, (role, at, shares) in lines.items():
            figure.add_scatter(
                x=[places.index(place) for place in at],
                y=list(shares[factor]),
                customdata=list(at),
                name=name,
                legendgroup=name,
                showlegend=row == 1,
                mode="lines+markers",
                line={"color": colours[role], "width": 2.5 if role == "fused" else 1.7},
                marker={"size": 7},
                hovertemplate=f"{name}, %{{customdata}}: %{{y:.1%}}<extra>{_(factor)}</extra>",
                row=row,
                col=1,
            )
    for number, (words, first, last) in enumerate(stages):
        figure.add_vrect(
            x0=places.index(first) - 0.5,
            x1=places.index(last) + 0.5,
            fillcolor=colours["band"] if number % 2 == 0 else colours["card"],
            line_width=0,
            layer="below",
        )
        figure.add_annotation(
            x=(places.index(first) + places.index(last)) / 2,
            y=1.09,
            yref="paper",
            text=words,
            showarrow=False,
            font={"color": colours["muted"]},
        )
    figure.update_layout(
        frame(colours),
        height=560,
        margin={"l": 60, "r": 20, "t": 60, "b": 90},
        legend={"orientation": "h", "y": -0.1, "yanchor": "top"},
    )
    figure.for_each_annotation(
        lambda note: note.update(x=0, xanchor="left", font={"size": 14}), {"xanchor": "center", "yanchor": "bottom"}
    )
    figure.update_xaxes(
        tickvals=list(range(len(places))),
        ticktext=list(places),
        range=[-0.5, len(places) - 0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(gridcolor=colours["line"], zeroline=False, rangemode="tozero", tickformat=".0%")
    figure.update_yaxes(title=_("share of the variance"), row=2, col=1)
    return figure
