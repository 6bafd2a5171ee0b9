"""What a design costs: the plan's numbers, sums that must agree, shapes, and independent counts by hand."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import designs

from dfn.design.catalogue import fused, highway, plain, resnet
from dfn.design.cost import Layer, cost, layers
from dfn.design.nodes import Conv, Fusion, Head, Pool, Series, View
from dfn.design.spec import Design


def net(*nodes, **settings):
    return Design(body=Series(nodes=(*nodes, Head())), **settings)


class TestKnownNets:
    @pytest.mark.parametrize(("deep", "parameters"), [(26, 392_506), (38, 586_938), (50, 781_370)])
    def test_the_groups_net_of_three_fusions(self, deep, parameters):
        assert cost(fused(deep=deep, shallow=5, fusions=3)).parameters == parameters

    @pytest.mark.parametrize(("depth", "millions"), [(20, 0.27), (32, 0.46), (56, 0.85), (110, 1.73)])
    def test_residual_nets(self, depth, millions):
        # the known sizes are those of the plain net: shortcuts without weights; ours has two projections with a norm
        alone, residual = cost(plain(depth=depth)).parameters, cost(resnet(depth=depth)).parameters
        assert round(alone / 1e6, 2) == millions
        assert residual - alone == (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)

    @pytest.mark.parametrize(("shallow", "thousands"), [(14, 3698), (17, 3892)])
    def test_wide_nets(self, shallow, thousands):
        found = cost(fused(deep=50, shallow=shallow, fusions=3, width=32)).parameters
        assert round(found / 1000) == thousands

    def test_a_plain_net_layer_by_layer(self):
        # stem 3 -> 16, two convs of 16, two of 32 (the first with stride 2), two of 64, classifier
        convs = [(3, 16, 32), (16, 16, 32), (16, 16, 32), (16, 32, 16), (32, 32, 16), (32, 64, 8), (64, 64, 8)]
        found = cost(plain(depth=8, fusions=3, classes=10))
        assert found.parameters == sum(9 * a * b + 2 * b for a, b, _ in convs) + 64 * 10 + 10
        assert found.macs == sum(9 * a * b * side**2 for a, b, side in convs) + 64 * 10
        assert found.activation_bytes == 4 * (sum(b * side**2 for _, b, side in convs) + 10)

    def test_a_highway_net_pays_for_its_gates(self):
        # depth 5, width 4, no norm: stem, one block a stage (conv, and a projection where the shape changes), a gate
        blocks = [(4, 4, False), (4, 8, True), (8, 16, True)]
        expected = 9 * 3 * 4 + 4 + 16 * 10 + 10
        for before, after, changes in blocks:
            expected += 2 * (9 * before * after + after) + changes * (before * after + after)
        assert cost(highway(depth=5, width=4)).parameters == expected


class TestSums:
    @pytest.mark.medium
    @given(
        bases=st.lists(st.integers(2, 60), min_size=2, max_size=5),
        fusions=st.integers(1, 9),
        width=st.integers(1, 20),
        join=st.sampled_from(["sum", "mean", "max"]),
        norm=st.sampled_from(["batch", "none"]),
    )
    def test_a_fused_net_costs_its_base_networks_with_one_stem_and_one_classifier(
        self, bases, fusions, width, join, norm
    ):
        whole = cost(fused(bases=bases, fusions=fusions, width=width, join=join, norm=norm))
        parts = [cost(plain(depth=depth, fusions=fusions, width=width, norm=norm)) for depth in bases]
        ends = [
            layer
            for layer in layers(plain(depth=2, fusions=fusions, width=width, norm=norm))
            if layer.name in ("stem", "logits")
        ]
        again = len(bases) - 1
        for what in ("parameters", "macs"):
            shared = sum(getattr(layer, what) for layer in ends)
            assert getattr(whole, what) == sum(getattr(part, what) for part in parts) - again * shared

    @pytest.mark.medium
    @given(bases=st.lists(st.integers(2, 60), min_size=2, max_size=5), width=st.integers(1, 20))
    def test_decision_fusion_costs_its_nets(self, bases, width):
        whole = cost(fused(bases=bases, fusions=0, width=width))
        parts = [cost(plain(depth=depth, fusions=3, width=width)) for depth in bases]
        assert whole.parameters == sum(part.parameters for part in parts)
        assert whole.macs == sum(part.macs for part in parts)

    @pytest.mark.medium
    @given(designs())
    def test_the_cost_is_the_sum_of_the_layers(self, design):
        found, parts = cost(design), list(layers(design))
        assert found.parameters == sum(layer.parameters for layer in parts)
        assert found.macs == sum(layer.macs for layer in parts)
        assert list(found.shapes) == [layer.name for layer in parts]
        assert len(set(found.shapes)) == len(parts)

    @pytest.mark.medium
    @given(designs(), st.integers(1, 70), st.integers(1, 70))
    def test_the_size_of_the_image_changes_the_work_and_not_the_weights(self, design, height, width):
        found = cost(design, (design.in_channels, height, width))
        assert found.parameters == cost(design).parameters
        assert found.input_shape == (design.in_channels, height, width)
        bigger = cost(design, (design.in_channels, height + 40, width + 40))
        assert bigger.macs >= found.macs
        assert bigger.activation_bytes >= found.activation_bytes


class TestShapes:
    def test_of_the_maps_of_a_fused_net(self):
        shapes = cost(fused(deep=8, shallow=5, fusions=3, width=16), (3, 32, 32)).shapes
        named = {
            name: shapes[name] for name in ("stem", "fusion1/joined", "fusion2/joined", "fusion3/joined", "logits")
        }
        assert named == {
            "stem": (16, 32, 32),
            "fusion1/joined": (16, 32, 32),
            "fusion2/joined": (32, 16, 16),
            "fusion3/joined": (64, 8, 8),
            "logits": (10,),
        }

    @pytest.mark.medium
    @given(designs(), st.integers(1, 70))
    def test_strides_round_up(self, design, side):
        for layer in layers(design, (design.in_channels, side, side)):
            if isinstance(layer.node, Conv | Pool):
                assert layer.after.height == ceil(layer.before.height / layer.node.stride)
                assert layer.after.stride == layer.before.stride * layer.node.stride

    def test_a_concat_puts_channels_side_by_side(self):
        branches = tuple(Series(nodes=(Conv(channels=channels),)) for channels in (3, 4, 5))
        assert cost(net(Fusion(branches=branches, join="concat"))).shapes["fusion1/joined"] == (12, 32, 32)

    def test_pools_and_views_are_free(self):
        free = net(Pool(), View(view="edges"), View(view="low-pass"))
        assert cost(free).parameters == cost(net()).parameters == 3 * 10 + 10
        assert cost(free).macs == 3 * 10


def test_a_layer_knows_what_goes_in_and_out():
    stem = next(layers(plain()))
    assert isinstance(stem, Layer)
    assert (stem.name, stem.before.shape, stem.after.shape) == ("stem", (3, 32, 32), (16, 32, 32))
    assert (stem.parameters, stem.macs) == (9 * 3 * 16 + 32, 9 * 3 * 16 * 32 * 32)
