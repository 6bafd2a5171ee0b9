"""How a net starts and what its joins have learned, as still figures."""

from collections.abc import Mapping
from math import log10

import plotly.graph_objects as go

from dfn.figures.theme import frame, palette
from dfn.words import _

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
    figure.update_yaxes(
        type="log", title=_("variance of the output"), gridcolor=colours["line"], exponentformat="power"
    )
    if bounds:
        low, high = log10(bounds[0]), log10(bounds[1])
        room = 0.05 * (high - low) + 0.1
        dtick = "D2" if high - low < 2 else 1  # within two powers of ten 1, 2, 5, and their like
        figure.update_yaxes(range=[low - room, high + room], dtick=dtick, tickformat="~g")
    figure.update_xaxes(title=_("layer, from the image on"), gridcolor=colours["line"], zeroline=False)
    return _framed(figure, colours, _("Variance of every layer at the start"))


def branch_weights(weights: Mapping[str, Mapping[str, float]], dark: bool = False) -> go.Figure:
    """The mean weight that every fusion gives its branches: for each branch a line over the fusions."""
    colours = palette(dark)
    figure = go.Figure()
    fusions = list(weights)
    for lane in dict.fromkeys(lane for row in weights.values() for lane in row):
        figure.add_scatter(
            x=fusions,
            y=[weights[fusion].get(lane) for fusion in fusions],
            name=_(lane),
            mode="lines+markers",
            line={"color": colours[lane], "width": 2},
            hovertemplate=_("{lane} at %{{x}}: %{{y:.3f}}<extra></extra>").format(lane=_(lane)),
        )
    figure.update_yaxes(title=_("mean weight"), gridcolor=colours["line"], rangemode="tozero")
    figure.update_xaxes(gridcolor=colours["line"])
    return _framed(figure, colours, _("How the joins weigh their branches"))


def layer_variances_alt(starts: Mapping[str, Mapping[str, float]]) -> str:
    """What the first figure shows, in words."""
    said = []
    for start, variances in starts.items():
        values = list(variances.values())
        text = _(
            "{start}: {first:.3g} at the first layer, {conv:.3g} at the last conv, {last:.3g} at the end, from "
            "{low:.3g} to {high:.3g}"
        )
        first, conv, last = values[0], values[-2], values[-1]
        said.append(text.format(start=start, first=first, conv=conv, last=last, low=min(values), high=max(values)))
    return _("Variance of every layer at the start. {starts}.").format(starts="; ".join(said))


def branch_weights_alt(weights: Mapping[str, Mapping[str, float]]) -> str:
    """What the second figure shows, in words."""
    said = [
        f"{fusion}: " + ", ".join(f"{_(lane)} {weight:.2f}" for lane, weight in row.items())
        for fusion, row in weights.items()
    ]
    return _("Mean weight of every branch. {weights}.").format(weights="; ".join(said))


def _framed(figure: go.Figure, colours: Mapping[str, str], title: str) -> go.Figure:
    return figure.update_layout(
        frame(colours, title),
        height=340,
        margin={"l": 70, "r": 20, "t": 40, "b": 50},
        showlegend=True,
        legend={"orientation": "h", "y": -0.25},
    )
