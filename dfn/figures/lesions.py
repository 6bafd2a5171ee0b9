"""How a net bears lesions, as still figures."""

from collections.abc import Mapping, Sequence
from statistics import median

import plotly.graph_objects as go

from dfn.figures.theme import frame, palette
from dfn.words import _


def random_lesions(
    draws: Mapping[int, Sequence[float]], blocks: int, chance: float, dark: bool = False, role: str = "fused"
) -> go.Figure:
    """Accuracy (0 to 1) by the number of blocks cut at once, out of `blocks`: a dot for every draw, a line through the
    means, and a level for what guessing gives."""
    colours = palette(dark)
    counts = sorted(draws)
    figure = go.Figure()
    figure.add_scatter(
        x=[count for count in counts for _draw in draws[count]],
        y=[value for count in counts for value in draws[count]],
        mode="markers",
        name=_("one draw"),
        marker={"color": colours[role], "size": 7, "opacity": 0.5},
        hovertemplate=_("%{x} cut: %{y:.1%}<extra>one draw</extra>"),
    )
    figure.add_scatter(
        x=counts,
        y=[sum(draws[count]) / len(draws[count]) for count in counts],
        mode="lines",
        name=_("mean"),
        line={"color": colours[role], "width": 2.5},
        hovertemplate=_("%{x} cut: %{y:.1%}<extra>mean</extra>"),
    )
    figure.add_hline(
        y=chance,
        line={"color": colours["muted"], "dash": "dot", "width": 1},
        annotation={"text": _("guessing"), "font": {"color": colours["muted"]}},
        annotation_position="top right",
    )
    figure.update_layout(
        frame(colours, _("Random blocks cut, out of {count}").format(count=blocks)),
        showlegend=False,
        height=340,
        margin={"l": 60, "r": 20, "t": 40, "b": 50},
    )
    every = max(1, counts[-1] // 8)
    figure.update_xaxes(title=_("blocks cut at once"), gridcolor=colours["line"], zeroline=False, dtick=every)
    figure.update_yaxes(title=_("test accuracy"), gridcolor=colours["line"], range=[0, 1.02], tickformat=".0%")
    return figure


def block_losses(
    nets: Mapping[str, tuple[str, Mapping[str, float]]], title: str, dark: bool = False, height: int = 64
) -> go.Figure:
    """What each net loses when one block at a time is cut: a row a net, a dot a block, a bar at the median.

    `nets` maps a label to (role, loss by block); losses are shares of the test images, shown in points. `height` is
    that of a row in pixels.
    """
    colours = palette(dark)
    figure = go.Figure()
    for label, (role, losses) in nets.items():
        points = [100 * loss for loss in losses.values()]
        figure.add_scatter(
            x=points,
            y=[label] * len(points),
            customdata=list(losses),
            mode="markers",
            marker={"color": colours[role], "size": 11, "opacity": 0.65},
            hovertemplate=_("%{customdata}: %{x:.1f} points<extra></extra>"),
        )
        figure.add_scatter(
            x=[median(points)],
            y=[label],
            mode="markers",
            marker={"symbol": "line-ns", "size": 26, "line": {"color": colours[f"{role}_text"], "width": 3}},
            hovertemplate=_("median: %{x:.1f} points<extra></extra>"),
        )
    figure.update_layout(
        frame(colours, title),
        showlegend=False,
        height=100 + height * len(nets),
        margin={"l": 10, "r": 20, "t": 40, "b": 50},
    )
    figure.update_xaxes(title=_("accuracy lost, points"), gridcolor=colours["line"], zerolinecolor=colours["muted"])
    figure.update_yaxes(autorange="reversed", gridcolor=colours["line"], automargin=True)
    return figure
