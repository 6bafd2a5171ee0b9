"""The referee's figures: every number is drawn where it belongs, and said in the words beside the figure."""

import plotly.graph_objects as go
import pytest

from dfn.figures.compare import Gap, Seeds, accuracies, accuracies_alt, differences, differences_alt
from dfn.figures.depth_map import TITLES, depth_map, depth_map_alt
from dfn.figures.theme import palette

NETS = [
    Seeds("fused 8 + 5", "fused", {0: 0.9, 1: 0.94}, {2: 0.5}),
    Seeds("plain 8", "plain", {0: 0.4}),
    Seeds("ResNet 8", "resnet", {}),
]
GAPS = [Gap("plain 8", "plain", {0: 0.5, 1: 0.3}, 0.4, (-0.87, 1.67)), Gap("late 8", "late", {0: -0.01}, -0.01, None)]


def _points(figure: go.Figure, symbol: str) -> list[tuple[str, float]]:
    traces = [trace for trace in figure.data if trace.marker.symbol == symbol]
    return [(y, pytest.approx(x)) for trace in traces for x, y in zip(trace.x, trace.y, strict=True)]


def test_every_seed_is_a_dot_and_every_net_has_its_row() -> None:
    figure = accuracies(NETS)
    assert _points(figure, "circle") == [("fused 8 + 5", 90), ("fused 8 + 5", 94), ("plain 8", 40)]
    assert _points(figure, "circle-open") == [("fused 8 + 5", 50)]
    assert _points(figure, "line-ns") == [("fused 8 + 5", 92), ("plain 8", 40)]
    (spread,) = (trace for trace in figure.data if trace.mode == "lines")
    assert list(spread.x) == pytest.approx([90, 94])
    assert figure.layout.yaxis.categoryarray == tuple(net.label for net in NETS)
    assert figure.layout.height == accuracies([Seeds(n.label, n.role, {}) for n in NETS]).layout.height, "nothing jumps"
    said = accuracies_alt(NETS)
    assert "fused 8 + 5: mean 92.0 %, seeds 90.0, 94.0, under way 50.0" in said and "ResNet 8: nothing yet" in said


def test_differences_keep_their_interval_and_the_frame_its_dots() -> None:
    figure = differences("fused", GAPS)
    assert _points(figure, "circle") == [("plain 8", 50), ("plain 8", 30), ("late 8", -1)]
    (interval,) = (trace for trace in figure.data if trace.mode == "lines")
    assert list(interval.x) == pytest.approx([-87, 167])
    low, high = figure.layout.xaxis.range
    assert low < -1 and 50 < high < 167, "a very wide interval leaves the frame"
    said = differences_alt("fused", GAPS)
    assert "plain 8 by +40.0 points, 95 % interval −87.0 to +167.0" in said and "late 8 by −1.0 points" in said
    assert "Nothing" in differences_alt("fused", [])


@pytest.mark.parametrize("dark", [False, True])
def test_roles_have_their_colours_on_both_pages(dark: bool) -> None:
    figure = accuracies(NETS, dark)
    dots = {trace.y[0]: trace.marker.color for trace in figure.data if trace.marker.symbol == "circle" and trace.y}
    assert dots == {"fused 8 + 5": palette(dark)["fused"], "plain 8": palette(dark)["plain"]}


VALUES = {(8, 5): 0.9, (26, 5): 0.5, (26, 8): None}


@pytest.mark.parametrize("quantity", TITLES)
def test_a_map_has_a_square_for_every_cell(quantity) -> None:
    figure = depth_map(VALUES, quantity, "6 fusions", picked=(26, 8))
    empty, full, ring = figure.data
    assert [tuple(pair) for pair in empty.customdata] == [(26, 8)]
    assert [tuple(pair) for pair in full.customdata] == [(8, 5), (26, 5)] and len(full.text) == 2
    assert (ring.x, ring.y) == (("26",), ("8",))
    assert full.marker.cmin <= min(full.marker.color) and max(full.marker.color) <= full.marker.cmax
    best = max(full.customdata, key=lambda pair: VALUES[tuple(pair)] * (-1 if quantity == "loss" else 1))
    brightest = max(zip(full.marker.color, full.customdata, strict=True))[1]
    assert tuple(brightest) == tuple(best), "bright is good: high accuracy, low loss, much gradient"
    said = depth_map_alt(VALUES, quantity, "6 fusions")
    assert "26 + 8: nothing yet" in said and TITLES[quantity] in said


def test_maps_can_share_a_scale_and_may_be_empty() -> None:
    full = depth_map(VALUES, "accuracy", "", bounds=(0.0, 1.0)).data[1]
    assert (full.marker.cmin, full.marker.cmax) == (0.0, 1.0)
    assert not depth_map({(8, 5): None}, "stem_gradient", "").data[1].x
    assert depth_map({(8, 5): 0.0}, "stem_gradient", "").data[1].marker.color == (-12.0,), "a gradient of 0 has a place"
