"""Nets compared over seeds: every seed a dot, mean and spread beside it, and the paired differences from the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

import plotly.graph_objects as go

from dfn.figures.theme import frame, palette
from dfn.words import _

ROW = 46


@dataclass(frozen=True)
class Seeds:
    """One net: its label, the role that gives it its colour, and test accuracy (0 to 1) by seed, of the runs that are
    done and of those that are still trained."""

    label: str
    role: str
    done: Mapping[int, float]
    so_far: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Gap:
    """How far the first net is ahead of this one: accuracies by seed, their mean, and the interval of the mean."""

    label: str
    role: str
    by_seed: Mapping[int, float]
    mean: float
    interval: tuple[float, float] | None


def accuracies(nets: Sequence[Seeds], dark: bool = False) -> go.Figure:
    """A row a net: a filled dot for every seed that is done, an open one for every seed under way, a bar from the
    lowest to the highest, a stroke at the mean."""
    colours = palette(dark)
    figure = go.Figure()
    for net in nets:
        values = [100 * value for value in net.done.values()]
        if len(values) > 1:
            _line(figure, [min(values), max(values)], net.label, colours[net.role], 10, 0.3)
        _dots(figure, net.done, net.label, colours[net.role], "circle", _("seed %{customdata}: %{x:.1f} %"))
        so_far = _("seed %{customdata}, so far: %{x:.1f} %")
        _dots(figure, net.so_far, net.label, colours[net.role], "circle-open", so_far)
        if values:
            _stroke(figure, fmean(values), net.label, colours[f"{net.role}_text"], _("mean: %{x:.1f} %"))
    _layout(figure, _("Test accuracy, every seed"), len(nets), colours)
    figure.update_xaxes(title=_("test accuracy, %"), range=[-1, 101], gridcolor=colours["line"], zeroline=False)
    figure.update_yaxes(_rows([net.label for net in nets], colours))
    return figure


def differences(first: str, gaps: Sequence[Gap], dark: bool = False) -> go.Figure:
    """A row a net: a dot for every seed's difference, the mean and its interval; right of 0 the first net is ahead."""
    colours = palette(dark)
    figure = go.Figure()
    for gap in gaps:
        if gap.interval:
            _line(figure, [100 * end for end in gap.interval], gap.label, colours["muted"], 2, 1.0)
        _dots(figure, gap.by_seed, gap.label, colours[gap.role], "circle", _("seed %{customdata}: %{x:+.1f} points"))
        _stroke(figure, 100 * gap.mean, gap.label, colours["text"], _("mean: %{x:+.1f} points"))
    _layout(figure, _("{label} is ahead by, seed by seed").format(label=first), len(gaps), colours)
    figure.update_xaxes(
        title=_("points; the line is the 95 % interval of the mean"),
        range=_bounds(gaps),
        gridcolor=colours["line"],
        zerolinecolor=colours["muted"],
        zerolinewidth=2,
    )
    figure.update_yaxes(_rows([gap.label for gap in gaps], colours))
    return figure


def accuracies_alt(nets: Sequence[Seeds]) -> str:
    """What the first figure shows, in words."""
    said = "; ".join(f"{net.label}: {_said(net)}" for net in nets)
    return _("Test accuracy by net and seed. {nets}.").format(nets=said)


def differences_alt(first: str, gaps: Sequence[Gap]) -> str:
    """What the second figure shows, in words."""
    said = []
    for gap in gaps:
        low, high = map(_points, gap.interval or (0.0, 0.0))
        text = (
            _("{label} by {mean} points, 95 % interval {low} to {high}")
            if gap.interval
            else _("{label} by {mean} points")
        )
        said.append(text.format(label=gap.label, mean=_points(gap.mean), low=low, high=high))
    text = _("{label} is ahead of {others}.") if said else _("Nothing to set beside {label} yet.")
    return text.format(label=first, others="; ".join(said))


def _said(net: Seeds) -> str:
    parts = []
    if net.done:
        every = ", ".join(f"{100 * value:.1f}" for value in net.done.values())
        parts.append(_("mean {mean:.1f} %, seeds {seeds}").format(mean=100 * fmean(net.done.values()), seeds=every))
    if net.so_far:
        so_far = ", ".join(f"{100 * value:.1f}" for value in net.so_far.values())
        parts.append(_("under way {seeds}").format(seeds=so_far))
    return ", ".join(parts) or _("nothing yet")


def _points(value: float) -> str:
    return f"{100 * value:+.1f}".replace("-", "−")


def _bounds(gaps: Sequence[Gap]) -> list[float]:
    """Room for every dot and for 0. An interval over two seeds can be wider than all accuracies: it leaves the frame
    rather than press the dots together."""
    dots = [100 * value for gap in gaps for value in gap.by_seed.values()] + [0.0]
    reach = max(5.0, max(dots) - min(dots))
    ends = [100 * end for gap in gaps for end in gap.interval or ()] or [0.0]
    low = max(min([*dots, *ends]), min(dots) - reach)
    high = min(max([*dots, *ends]), max(dots) + reach)
    return [low - 0.05 * reach, high + 0.05 * reach]


def _dots(figure: go.Figure, values: Mapping[int, float], row: str, colour: str, symbol: str, hover: str) -> None:
    figure.add_scatter(
        x=[100 * value for value in values.values()],
        y=[row] * len(values),
        customdata=list(values),
        mode="markers",
        marker={"color": colour, "size": 11, "opacity": 0.8, "symbol": symbol, "line": {"width": 1.5, "color": colour}},
        hovertemplate=f"{hover}<extra>{row}</extra>",
    )


def _line(figure: go.Figure, ends: list[float], row: str, colour: str, width: int, opacity: float) -> None:
    line = {"color": colour, "width": width}
    figure.add_scatter(x=ends, y=[row, row], mode="lines", line=line, opacity=opacity, hoverinfo="skip")


def _stroke(figure: go.Figure, x: float, row: str, colour: str, hover: str) -> None:
    figure.add_scatter(
        x=[x],
        y=[row],
        mode="markers",
        marker={"symbol": "line-ns", "size": 24, "line": {"color": colour, "width": 3}},
        hovertemplate=f"{hover}<extra>{row}</extra>",
    )


def _layout(figure: go.Figure, title: str, rows: int, colours: Mapping[str, str]) -> None:
    figure.update_layout(
        frame(colours, title),
        showlegend=False,
        height=100 + ROW * max(1, rows),
        margin={"l": 10, "r": 20, "t": 40, "b": 50},
    )


def _rows(labels: list[str], colours: Mapping[str, str]) -> dict[str, object]:
    """Every net has its row from the start, also before it has a dot: nothing moves when one comes."""
    order = {"type": "category", "categoryorder": "array", "categoryarray": labels}
    return order | {"range": [len(labels) - 0.5, -0.5], "gridcolor": colours["line"], "automargin": True}
