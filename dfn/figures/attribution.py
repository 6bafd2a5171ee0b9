"""Attributions as pictures: coloured squares over a faint image, the strip of their scale, and curves of the scores.

Pictures are plain arrays of pixels. The colour alone is the value; the image is mixed in to a fixed part, so that it
shows where one is without becoming part of the scale.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from dfn.figures.theme import DIVERGING, SEQUENTIAL, frame, palette
from dfn.words import N_, _

Pixels = NDArray[np.uint8]

_ORDERS = {"deletion": N_("deletion"), "insertion": N_("insertion")}

IMAGE_PART = 0.2
DARKEST = 115  # a black image below would turn white, which stands for 0, into a grey


def colours(values: NDArray[Any], reach: float, signed: bool) -> Pixels:
    """(rows, columns, 3) for values (rows, columns): blue, white, red from -reach to reach, or dark to bright from 0
    to reach; what lies beyond has the colour of the end."""
    scale = DIVERGING if signed else SEQUENTIAL
    stops = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in scale])
    share = np.clip(values / (reach or 1.0), -1.0 if signed else 0.0, 1.0)
    place = ((share + 1) / 2 if signed else share) * (len(stops) - 1)
    channels = [np.interp(place, range(len(stops)), stops[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, -1)).astype(np.uint8)


def overlay(values: NDArray[Any], image: Pixels, reach: float, signed: bool, side: int) -> Pixels:
    """About side x side x 3: values (h, w), brought to the size of the image (H, W, C) by repetition, in colour over
    the brightness of the image; every pixel a square."""
    brightness = DARKEST + (255 - DARKEST) / 255 * image.astype(np.float64).mean(-1)
    rows, columns = (np.arange(size) * have // size for size, have in zip(brightness.shape, values.shape, strict=True))
    coloured = colours(values[rows][:, columns], reach, signed).astype(np.float64)
    mixed = (1 - IMAGE_PART) * coloured + IMAGE_PART * brightness[:, :, None]
    return enlarged(np.rint(mixed).astype(np.uint8), side)


def enlarged(image: Pixels, side: int) -> Pixels:
    """The image (H, W, C) about `side` pixels wide, every pixel a square; RGB whatever it was."""
    times = max(1, side // image.shape[1])
    large = image.repeat(times, 0).repeat(times, 1)
    return large.repeat(3, -1) if large.shape[-1] == 1 else large


def strip(signed: bool, width: int = 240, height: int = 14) -> Pixels:
    """The scale from its lowest to its highest colour."""
    values = np.linspace(-1.0 if signed else 0.0, 1.0, width)
    return colours(np.broadcast_to(values, (height, width)), 1.0, signed)


def pixel_curves(
    shares: Sequence[float], curves: Mapping[str, tuple[Sequence[float], float]], dark: bool = False
) -> go.Figure:
    """The probability of the class over the share of pixels that were taken away, or put in: for each name the
    probabilities and the area under them."""
    theme = palette(dark)
    figure = go.Figure()
    for (name, (probability, area)), dash in zip(curves.items(), ("solid", "dash"), strict=False):
        name = _(_ORDERS.get(name, name))
        label = _("{name}, area {area:.2f}").format(name=name, area=area)
        hover = _("{name}: %{{y:.1%}} at %{{x:.0%}} of the pixels").format(name=name)
        figure.add_scatter(
            x=list(shares),
            y=list(probability),
            name=name,
            mode="lines+text",
            text=[""] * (len(shares) - 1) + [f" {label}"],
            textposition="middle right",
            line={"color": theme["plain"], "width": 2, "dash": dash},
            cliponaxis=False,
            hovertemplate=hover + "<extra></extra>",
        )
    _frame(figure, theme, right=130)
    about = _("share of the pixels, the most important first")
    figure.update_xaxes(title=about, tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title=_("probability of the class"), tickformat=".0%", range=[-0.02, 1.02])
    return figure


def likeness(found: Mapping[str, float], dark: bool = False) -> go.Figure:
    """How alike a picture stays while more and more of the weights are shuffled: rank correlation by place."""
    theme = palette(dark)
    figure = go.Figure()
    figure.add_scatter(
        x=[_("as it is"), *found],
        y=[1.0, *found.values()],
        mode="lines+markers",
        line={"color": theme["plain"], "width": 2},
        hovertemplate=_("shuffled up to %{x}: rank correlation %{y:.2f}") + "<extra></extra>",
    )
    _frame(figure, theme, right=20)
    figure.update_xaxes(title=_("shuffled so far"), type="category", tickangle=-40, automargin=True)
    figure.update_yaxes(title=_("rank correlation of |values|"), range=[min(0.0, *found.values()) - 0.05, 1.05])
    return figure


def hit_rates(rates: Mapping[str, float], chance: float, dark: bool = False) -> go.Figure:
    """How often each method's largest value lies on the object, and a line at what a random pixel would reach."""
    theme = palette(dark)
    figure = go.Figure()
    figure.add_bar(
        x=list(rates.values()),
        y=list(rates),
        orientation="h",
        marker={"color": theme["plain"]},
        text=[f"{rate:.0%}" for rate in rates.values()],
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    figure.add_vline(
        x=chance,
        line={"color": theme["text"], "dash": "dot", "width": 2},
        annotation={"text": _("a random pixel, {chance:.0%}").format(chance=chance), "font": {"color": theme["muted"]}},
        annotation_position="top",
    )
    _frame(figure, theme, right=20)
    figure.update_layout(height=110 + 30 * len(rates), margin={"t": 40})
    figure.update_xaxes(title=_("hits in the pointing game"), tickformat=".0%", range=[0, 1.02])
    figure.update_yaxes(autorange="reversed", automargin=True)
    return figure


def beside_image(values: NDArray[Any], seen: NDArray[Any], title: str, dark: bool = False) -> go.Figure:
    """The values (h, w) on one scale around 0, beside the image (H, W, C) as the net sees it, darkest to brightest."""
    theme = palette(dark)
    low, high = float(seen.min()), float(seen.max())
    shown = np.rint(255 * (seen - low) / ((high - low) or 1.0)).astype(np.uint8)
    reach = float(np.abs(values).max()) or 1.0
    stops = [[at / (len(DIVERGING) - 1), colour] for at, colour in enumerate(DIVERGING)]
    titles = [_("image"), _("speaks for it (red), against it (blue)")]
    figure = make_subplots(rows=1, cols=2, subplot_titles=titles)
    figure.add_trace(go.Image(z=shown.repeat(3, -1) if shown.shape[-1] == 1 else shown, hoverinfo="skip"), row=1, col=1)
    picture = go.Heatmap(z=values, zmin=-reach, zmax=reach, colorscale=stops, hovertemplate="%{z:.3g}<extra></extra>")
    figure.add_trace(picture, row=1, col=2)
    _frame(figure, theme, right=20)
    figure.update_layout(title={"text": title, "font": {"size": 14}}, height=380, margin={"t": 70, "b": 10})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.update_yaxes(autorange="reversed", scaleanchor="x2", row=1, col=2)
    return figure


def _frame(figure: go.Figure, theme: Mapping[str, str], right: int) -> None:
    figure.update_layout(
        frame(theme),
        showlegend=False,
        height=300,
        margin={"l": 60, "r": right, "t": 20, "b": 50},
    )
    figure.update_xaxes(gridcolor=theme["line"], zeroline=False)
    figure.update_yaxes(gridcolor=theme["line"], zeroline=False)
