"""How a net starts and what its joins have learned, as still figures."""

from collections.abc import Mapping
from math import log10

import plotly.graph_objects as go

from dfn.figures.theme import palette

_LINES = ("fused", "plain", "deep", "shallow", "resnet", "late")


def layer_variances(
    starts: Mapping[str, Mapping[str, float]], dark: bool = False, bounds: tuple[float, float] | None = None
) -> go.Figure:
    """The variance of every layer's output, in the order of the net, on a logarithmic axis: one line a start. A layer
    that gives nothing (variance 0) leaves a gap. `bounds` are the lowest and the highest variance on the axis, where
    several figures share one."""
    colours = palette(dark)
    figure = go.Figure()
    for role, (start, variances) in zip(_LINES, starts.items(), strict=False):
        names = list(variances)
        figure.add_scatter(
            x=list(range(1, len(names) + 1)),
            y=[value or None for value in variances.values()],
            customdata=names,
            name=start,
            mode="lines+markers",
            line={"color": colours[role], "width": 2},
            marker={"size": 5},
            hovertemplate=f"{start}, %{{customdata}}: %{{y:.3g}}<extra></extra>",
        )
    figure.update_yaxes(type="log", title="variance of the output", gridcolor=colours["line"], exponentformat="power")
    if bounds:
        low, high = log10(bounds[0]), log10(bounds[1])
        room = 0.05 * (high - low) + 0.1
        dtick = "D2" if high - low < 2 else 1  # within two powers of ten 1, 2, 5, and their like
        figure.update_yaxes(range=[low - room, high + room], dtick=dtick, tickformat="~g")
    figure.update_xaxes(title="layer, from the image on", gridcolor=colours["line"], zeroline=False)
    return _framed(figure, colours, "Variance of every layer at the start")


def branch_weights(weights: Mapping[str, Mapping[str, float]], dark: bool = False) -> go.Figure:
    """The mean weight that every fusion gives its branches: for each branch a line over the fusions."""
    colours = palette(dark)
    figure = go.Figure()
    fusions = list(weights)
    for lane in dict.fromkeys(lane for row in weights.values() for lane in row):
        figure.add_scatter(
            x=fusions,
            y=[weights[fusion].get(lane) for fusion in fusions],
            name=lane,
            mode="lines+markers",
            line={"color": colours[lane], "width": 2},
            hovertemplate=f"{lane} at %{{x}}: %{{y:.3f}}<extra></extra>",
        )
    figure.update_yaxes(title="mean weight", gridcolor=colours["line"], rangemode="tozero")
    figure.update_xaxes(gridcolor=colours["line"])
    return _framed(figure, colours, "How the joins weigh their branches")


def layer_variances_alt(starts: Mapping[str, Mapping[str, float]]) -> str:
    """What the first figure shows, in words."""
    said = []
    for start, variances in starts.items():
        values = list(variances.values())
        ends = f"{values[0]:.3g} at the first layer, {values[-2]:.3g} at the last conv, {values[-1]:.3g} at the end"
        said.append(f"{start}: {ends}, from {min(values):.3g} to {max(values):.3g}")
    return f"Variance of every layer at the start. {'; '.join(said)}."


def branch_weights_alt(weights: Mapping[str, Mapping[str, float]]) -> str:
    """What the second figure shows, in words."""
    said = [
        f"{fusion}: " + ", ".join(f"{lane} {weight:.2f}" for lane, weight in row.items())
        for fusion, row in weights.items()
    ]
    return f"Mean weight of every branch. {'; '.join(said)}."


def _framed(figure: go.Figure, colours: Mapping[str, str], title: str) -> go.Figure:
    return figure.update_layout(
        title={"text": title, "font": {"size": 14}},
        height=340,
        margin={"l": 70, "r": 20, "t": 40, "b": 50},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": colours["text"]},
        showlegend=True,
        legend={"orientation": "h", "y": -0.25},
    )
