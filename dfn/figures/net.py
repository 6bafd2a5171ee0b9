"""The net diagram as a still figure of what the view `net` draws: blocks in lanes, fusions, and the path spectrum."""

from collections.abc import Iterator, Mapping
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dfn.figures.theme import frame, palette

HALF, WIDE = 0.32, 0.36  # of a block, to either side of its middle
MANY = 1000  # paths of one depth, from where on the bars stand on a logarithmic axis


def net(data: Mapping[str, Any], dark: bool = False) -> go.Figure:
    """`data` is that of the view (`dfn.design.picture.picture`): a box for every block with its number of convs, in the
    colour of the base network that it came from, a circle for every join, and below how many paths have each depth."""
    colours = palette(dark)
    figure = make_subplots(rows=2, row_heights=[0.62, 0.38], vertical_spacing=0.2)
    blocks = list(_blocks(data["elements"]))
    lanes = max((len(row) for _, row in blocks), default=1)
    middle = (lanes - 1) / 2
    names, homes = [], []
    for x, (word, row) in enumerate(blocks):
        for lane, (role, words) in enumerate(row):
            y = lane if len(row) > 1 else middle
            box = {"x0": x - WIDE, "x1": x + WIDE, "y0": y - HALF, "y1": y + HALF}
            figure.add_shape(type="rect", **box, line={"color": colours[role], "width": 2})
            names.append((x, y, words))
        if word:
            homes.append((x + 0.5, word))
    figure.add_scatter(
        x=[-0.6, len(blocks) - 0.4], y=[middle, middle], mode="lines", line={"color": colours["line"]}, hoverinfo="skip"
    )
    figure.add_scatter(
        x=[x for x, _, _ in names],
        y=[y for _, y, _ in names],
        text=[words for *_, words in names],
        mode="text",
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=[x for x, _ in homes],
        y=[middle] * len(homes),
        text=["+" if word == "sum" else "" for _, word in homes],
        customdata=[word for _, word in homes],
        mode="markers+text",
        marker={"size": 18, "color": colours["card"], "line": {"color": colours["fused"], "width": 2}},
        hovertemplate="join: %{customdata}<extra></extra>",
    )
    depths = [str(bar["depth"]) for bar in data["spectrum"]]
    counts = [float(bar["count"]) for bar in data["spectrum"]]
    figure.add_bar(
        x=depths,
        y=counts,
        marker={"color": colours["fused"]},
        hovertemplate="%{y:.6g} paths of %{x} layers<extra></extra>",
        row=2,
        col=1,
    )
    bases = ", ".join(f"{lane['name']} {lane['depth']}" for lane in data["lanes"])
    essential = f"; essential depth {data['essential_depth']}" if data["essential_depth"] else ""
    figure.update_layout(
        frame(colours, f"{bases or 'Net'}{essential}"),
        showlegend=False,
        height=380,
        margin={"l": 60, "r": 20, "t": 40, "b": 50},
    )
    figure.update_xaxes(visible=False, row=1, col=1)
    figure.update_yaxes(visible=False, autorange="reversed", row=1, col=1)
    figure.update_xaxes(type="category", title="layers on the path", row=2, col=1)
    scale = "log" if max(counts) > MANY else "linear"
    figure.update_yaxes(title="paths", type=scale, gridcolor=colours["line"], row=2, col=1)
    return figure


def _blocks(elements: list[dict[str, Any]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """From the image to the classes: how the blocks are joined (empty where nothing is), and each block's role and
    words. A merge-and-run step is a join of its streams."""
    for element in elements:
        match element["kind"]:
            case "fusion":
                branches = element["branches"]
                roles = [branch["id"].rpartition("/")[2] for branch in branches]
                yield element["join"], [(roles[b["origin"]], _convs(b["depth"])) for b in branches]
            case "merge":
                for step in element["steps"]:
                    roles = [block["id"].rpartition("/")[2] for block in step["blocks"]]
                    yield (
                        "mean",
                        [
                            (role if role.startswith("base") else "plain", _convs(block["depth"]))
                            for role, block in zip(roles, step["blocks"], strict=True)
                        ],
                    )
            case "tap":
                pass
            case "convs":
                yield "", [("plain", _convs(element["convs"]))]
            case "head":
                yield "", [("plain", f"{element['classes']} classes")]
            case kind:
                yield "", [("plain", kind)]


def _convs(count: int) -> str:
    return {0: "identity", 1: "1 conv"}.get(count, f"{count} convs")
