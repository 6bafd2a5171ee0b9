"""The confusion matrix of a classifier."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dfn.figures.theme import frame, palette
from dfn.words import _


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str, dark: bool = False) -> go.Figure:
    """Counts of test images, rows the true class, columns the class that the net called; the diagonal is right.

    Colours are by the share of the row, so that classes of different size compare; numbers are counts.
    """
    colours = palette(dark)
    shares = [[value / max(1, sum(row)) for value in row] for row in counts]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=list(classes),
            y=list(classes),
            customdata=counts,
            text=counts if len(classes) <= 12 else None,
            texttemplate="%{text}" if len(classes) <= 12 else None,
            zmin=0,
            zmax=1,
            colorscale=[[0, colours["card"]], [1, colours["fused"]]],
            colorbar={"title": {"text": _("share of the row")}, "tickformat": ".0%"},
            hovertemplate=_("true {true}, called {called}: {count} images, {share} of the row<extra></extra>").format(
                true="%{y}", called="%{x}", count="%{customdata}", share="%{z:.0%}"
            ),
        )
    )
    figure.update_layout(
        frame(colours, title),
        margin={"l": 60, "r": 10, "t": 40, "b": 50},
        height=420,
    )
    figure.update_xaxes(title=_("called"), type="category", side="bottom")
    figure.update_yaxes(title=_("true class"), type="category", autorange="reversed", scaleanchor="x")
    return figure
