"""How much each term of a loss counts while a net trains, as a still figure."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from dfn.figures.theme import frame, palette
from dfn.words import _

Term = tuple[str, Sequence[float], Sequence[float]]


def loss_weights(terms: Mapping[str, Term], dark: bool = False) -> go.Figure:
    """A line a term: its name to (role, share of the steps that are done, weight)."""
    colours = palette(dark)
    figure = go.Figure()
    for name, (role, done, weights) in terms.items():
        figure.add_scatter(
            x=[100 * share for share in done],
            y=list(weights),
            name=name,
            mode="lines",
            line={"color": colours[role], "width": 2.4, "shape": "hv"},
            hovertemplate=_("{name}: weight %{{y:.2f}} after %{{x:.0f}} % of the steps<extra></extra>").format(
                name=name
            ),
        )
    figure.update_xaxes(title=_("steps done, %"), range=[0, 100], gridcolor=colours["line"], zeroline=False)
    figure.update_yaxes(title=_("weight in the loss"), rangemode="tozero", gridcolor=colours["line"])
    return figure.update_layout(
        frame(colours, _("What the loss is made of, from the first step to the last")),
        height=340,
        margin={"l": 60, "r": 20, "t": 40, "b": 50},
        showlegend=True,
        legend={"orientation": "h", "y": -0.25},
    )


def loss_weights_alt(terms: Mapping[str, Term]) -> str:
    """What the figure shows, in words."""
    said = [
        _("{name} from {first:g} at the first step over {middle:g} half way to {last:g}").format(
            name=name, first=weights[0], middle=weights[len(weights) // 2], last=weights[-1]
        )
        for name, (_role, _done, weights) in terms.items()
    ]
    return _("Weights of the terms of the loss: {terms}.").format(terms="; ".join(said))
