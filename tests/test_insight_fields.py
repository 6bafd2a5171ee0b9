"""What a place can see in theory is what its gradient reaches when every path is open."""

import pytest
import torch
from hypothesis import given, settings
from strategies import designs

from dfn.design.catalogue import catalogue, fused
from dfn.design.cost import full_shape, layers
from dfn.design.nodes import Conv, Fusion, Head, Pool, Series
from dfn.design.paths import receptive_fields
from dfn.design.spec import Design
from dfn.insight.fields import effective_field, side_of_share, theoretical_fields
from dfn.models.build import FusedNet, build

SIDE = 24


def wide_open(design: Design) -> FusedNet:
    """A net of positive weights: every path carries a gradient to all that it can see."""
    net = build(design)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)
    return net


POOLED = Design(
    body=Series(
        nodes=(
            Conv(channels=2, kernel=5),
            Pool(),
            Fusion(
                branches=(
                    Series(nodes=(Conv(channels=2, stride=2), Conv(channels=2))),
                    Series(nodes=(Pool(kernel=3), Conv(channels=2, kernel=1, projection=True))),
                )
            ),
            Head(),
        )
    ),
    in_channels=1,
    norm="none",
)


@pytest.mark.parametrize(
    "design",
    [fused(8, 5, 3, 2, in_channels=1, norm="none"), POOLED, catalogue()["fractal"].make(2, 2, 2, in_channels=1)],
    ids=["fused", "pooled", "fractal"],
)
def test_the_box_is_what_the_gradient_reaches(design: Design):
    net = wide_open(design)
    x = torch.rand(1, 1, SIDE, SIDE) + 0.5
    _, trace = net.eval().trace(x)
    for at, map_ in trace.items():
        if map_.dim() != 4:
            continue
        fields = theoretical_fields(design, at)
        row, column = map_.shape[2] // 2, map_.shape[3] - 1
        seen = effective_field(net, x, at, row, column) > 0
        expected = torch.zeros_like(seen)
        for field in fields.paths:
            top, left, bottom, right = fields.box(field, row, column)
            expected[max(0, top) : bottom + 1, max(0, left) : right + 1] = True
        assert torch.equal(seen, expected), at


@pytest.mark.medium
@given(designs(dropout=False))
def test_fields_of_the_last_map_are_those_of_the_paths(design: Design):
    last = [layer for layer in layers(design) if layer.after.height][-1].name
    nodes = design.body.nodes
    if isinstance(nodes[-1], Head) and isinstance(nodes[-2], Fusion):
        assert theoretical_fields(design, last).sizes() == receptive_fields(design)


def test_a_fused_net_sees_at_several_scales():
    design = fused(8, 5, 3, 4)
    fields = theoretical_fields(design, "fusion3/joined")
    assert fields.step == 4 and fields.sizes() == receptive_fields(design) and len(fields.paths) > 1
    assert theoretical_fields(design, "stem").paths == {(1, 1): 1}
    assert theoretical_fields(design, "stem").box((1, 1), 4, 0) == (3, -1, 5, 1)


def test_the_effective_field_is_the_gradient():
    design = fused(8, 5, 3, 4)
    net = build(design).eval()
    x = torch.randn(2, *full_shape(design, None))
    images = x.clone().requires_grad_()
    map_ = net.trace(images)[1]["fusion2/joined"]
    rows = [torch.autograd.grad(map_[:, c, 3, 5].sum(), images, retain_graph=True)[0] for c in range(8)]
    one = effective_field(net, x, "fusion2/joined", 3, 5, channel=2)
    torch.testing.assert_close(one, rows[2].abs().mean((0, 1)))
    every = effective_field(net, x, "fusion2/joined", 3, 5)
    torch.testing.assert_close(every, torch.stack(rows).abs().mean((0, 1, 2)))
    with torch.no_grad():
        assert torch.equal(effective_field(net, x, "fusion2/joined", 3, 5), every)


@settings(max_examples=1)
@given(designs())
def test_places_that_are_not_there_are_refused(design: Design):
    with pytest.raises(ValueError, match="at: nowhere is not accepted"):
        theoretical_fields(design, "nowhere")
    net = build(design)
    x = torch.rand(1, design.in_channels, 16, 16)
    with pytest.raises(ValueError, match="at: nowhere is not accepted; accepted: one of"):
        effective_field(net, x, "nowhere", 0, 0)


def test_places_outside_the_map_are_refused():
    net = build(fused(8, 5, 3, 4))
    with pytest.raises(ValueError, match="row: 8 is not accepted; accepted: a whole number from 0 to 7"):
        effective_field(net, torch.rand(1, 3, 8, 8), "stem", 8, 0)


def test_the_square_that_holds_a_share_is_the_smallest_one():
    field = torch.rand(9, 7, generator=torch.Generator().manual_seed(0))
    for row, column, share in ((4, 3, 0.5), (0, 6, 0.5), (2, 2, 0.9), (8, 0, 1.0)):
        side = side_of_share(field, row, column, share)
        assert side is not None and side % 2 == 1

        def held(reach: int, row: int = row, column: int = column) -> float:
            part = field[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
            return float(part.double().sum() / field.double().sum())

        assert held(side // 2) >= share - 1e-9
        assert side == 1 or held(side // 2 - 1) < share
    point = torch.zeros(5, 5)
    assert side_of_share(point, 2, 2, 0.5) is None
    point[2, 4] = 3
    assert side_of_share(point, 2, 2, 0.5) == 5 and side_of_share(point, 2, 4, 0.5) == 1
