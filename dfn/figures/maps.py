"""Feature maps side by side, as a still figure of what the view `maps` draws."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from dfn.figures.theme import DIVERGING, frame, palette


def tiles(panels: Mapping[str, NDArray[np.float32]], title: str, dark: bool = False) -> go.Figure:
    """All channels of every panel (channels, rows, columns), in one grid a panel and on one scale around 0."""
    colours = palette(dark)
    reach = max(float(np.abs(maps).max()) for maps in panels.values()) or 1.0
    figure = make_subplots(rows=1, cols=len(panels), subplot_titles=list(panels), horizontal_spacing=0.03)
    for column, (name, maps) in enumerate(panels.items(), start=1):
        picture = go.Heatmap(z=_grid(maps), coloraxis="coloraxis", hovertemplate=f"{name}: %{{z:.3g}}<extra></extra>")
        figure.add_trace(picture, row=1, col=column)
        anchor = f"x{column}" if column > 1 else "x"
        figure.update_yaxes(scaleanchor=anchor, row=1, col=column)
    stops = [[at / (len(DIVERGING) - 1), colour] for at, colour in enumerate(DIVERGING)]
    figure.update_layout(
        frame(colours, title),
        coloraxis={"colorscale": stops, "cmin": -reach, "cmax": reach},
        height=340,
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed")
    return figure


def _grid(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """The channels in rows of about equal width and height, one empty line between them."""
    channels, height, width = maps.shape
    columns = int(np.ceil(channels**0.5))
    rows = -(-channels // columns)
    grid = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1), np.nan, np.float32)
    for channel, values in enumerate(maps):
        row, column = divmod(channel, columns)
        top, left = row * (height + 1), column * (width + 1)
        grid[top : top + height, left : left + width] = values
    return grid
