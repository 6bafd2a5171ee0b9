"""The drawing of a net: which map feeds which, and plain data that say what the design says."""

import json

import pytest
from hypothesis import given
from strategies import ANY_JOIN, chains, designs

from dfn.design import paths
from dfn.design.catalogue import catalogue, fused, plain
from dfn.design.cost import cost, layers
from dfn.design.errors import DesignError
from dfn.design.nodes import Conv, Fusion, Head, MergeRun, Pool, Series, Tap, View
from dfn.design.picture import edges, picture


def nodes_of(node):
    yield node
    match node:
        case Series():
            children = node.nodes
        case Fusion():
            children = node.branches
        case MergeRun():
            children = sum(node.steps, ())
        case _:
            children = ()
    for child in children:
        yield from nodes_of(child)


def drawn(elements):
    for element in elements:
        yield element
        blocks = [block for step in element.get("steps", []) for block in step["blocks"]]
        for branch in [*element.get("branches", []), *blocks]:
            yield from drawn(branch["elements"])


def merge_edges(merge):
    """A block reads one stream and is read once; every new stream, or the end, reads all streams."""
    streams, sources, found = len(merge.steps[0]), 1, 0
    for number in range(1, len(merge.steps) + 1):
        last = number == len(merge.steps) and merge.end == "merge"
        found += 2 * streams + sources * (1 if last else streams)
        sources = streams
    return found + streams * (merge.end == "concat")


class TestEdges:
    def test_of_the_smallest_fused_net(self):
        assert edges(fused(deep=4, shallow=2, fusions=2)) == [
            ("input", "stem"),
            ("stem", "fusion1/deep"),
            ("stem", "fusion1/shallow"),
            ("fusion1/deep", "fusion1/joined"),
            ("fusion1/shallow", "fusion1/joined"),
            ("fusion1/joined", "fusion2/deep"),
            ("fusion1/joined", "fusion2/shallow"),
            ("fusion2/deep", "fusion2/joined"),
            ("fusion2/shallow", "fusion2/joined"),
            ("fusion2/joined", "logits"),
        ]

    def test_a_gate_reads_the_input_of_its_fusion_too(self):
        plain_edges, gated = edges(fused(fusions=2)), edges(fused(fusions=2, join="gate"))
        assert set(gated) - set(plain_edges) == {("stem", "fusion1/joined"), ("fusion1/joined", "fusion2/joined")}

    @pytest.mark.medium
    @given(designs())
    def test_as_many_as_the_design_has_dependencies(self, design):
        nodes = list(nodes_of(design.body))
        stems = [layer for layer in layers(design) if layer.name.rpartition("/")[2] == "stem"]
        expected = len(stems) + sum(isinstance(node, Tap | Head) for node in nodes)
        expected += not any(name == "logits" for name in cost(design).shapes)  # the last join of whole nets gives them
        expected += sum(2 * len(n.branches) + (n.join == "gate") for n in nodes if isinstance(n, Fusion))
        expected += sum(map(merge_edges, (n for n in nodes if isinstance(n, MergeRun))))
        found = edges(design)
        assert len(found) == len(set(found)) == expected

    @pytest.mark.medium
    @given(designs())
    def test_lead_from_the_image_through_every_map_to_the_logits(self, design):
        found = edges(design)
        reached = {"input"}
        for source, target in found:  # in the order of the computation
            assert source in reached
            reached.add(target)
        goals = {"input"} | {target for _, target in found}
        ends = goals - {source for source, _ in found}
        assert reached == goals
        assert "logits" in goals
        assert len(ends) == 1, "nothing but the logits, or a tap behind them, is left over"
        own = ("deep", "shallow", "base1", "base2", "base3", "block1", "block2", "block3")
        lanes = {name for name in goals if name.rpartition("/")[2] in own}
        assert goals - lanes - {"input", "logits"} <= set(cost(design).shapes)


class TestPicture:
    @pytest.mark.medium
    @given(designs())
    def test_shows_every_layer_once(self, design):
        elements = list(drawn(picture(design)["elements"]))
        nodes = list(nodes_of(design.body))
        shown = {kind: [e for e in elements if e["kind"] == kind] for kind in {e["kind"] for e in elements}}
        convs = sum(isinstance(n, Conv) and not n.projection for n in nodes)
        assert sum(e["convs"] for e in shown.get("convs", [])) == convs
        for kind, count in {
            "projection": sum(isinstance(n, Conv) and n.projection for n in nodes),
            "fusion": sum(isinstance(n, Fusion) for n in nodes),
            "merge": sum(isinstance(n, MergeRun) for n in nodes),
            "pool": sum(isinstance(n, Pool) for n in nodes),
            "view": sum(isinstance(n, View) for n in nodes),
            "tap": sum(isinstance(n, Tap) for n in nodes),
            "head": sum(isinstance(n, Head) for n in nodes),
            "image": 1,
        }.items():
            assert len(shown.get(kind, [])) == count

    @pytest.mark.medium
    @given(designs())
    def test_names_and_shapes_are_those_of_the_design(self, design):
        shape = (design.in_channels, 20, 24)
        shapes = cost(design, shape).shapes
        elements = list(drawn(picture(design, shape)["elements"]))
        assert len({e["id"] for e in elements}) == len(elements)
        assert elements[0] == {"kind": "image", "id": "input", "channels": design.in_channels, "size": [20, 24]}
        for element in elements[1:]:
            if element["kind"] == "head":
                assert (element["classes"],) == shapes[element["id"]]
            elif len(shapes[element["id"]]) == 3:
                assert (element["channels"], *element["size"]) == shapes[element["id"]]
            else:
                assert (element["channels"],) == shapes[element["id"]]  # a join of logits

    @pytest.mark.medium
    @given(chains(joins=ANY_JOIN))
    def test_lanes_and_spectrum_are_those_of_the_paths(self, design):
        found = picture(design)
        assert json.loads(json.dumps(found)) == found, "plain data"
        assert tuple(lane["depth"] for lane in found["lanes"]) == paths.base_depths(design)
        assert found["essential_depth"] == paths.essential_depth(design)
        spectrum = {entry["depth"]: int(entry["count"]) for entry in found["spectrum"]}
        assert spectrum == paths.path_spectrum(design)
        for entry in found["spectrum"]:
            assert len(entry["example"]) == len(paths.chain(design).blocks)
        depths = [[b["depth"] for b in e["branches"]] for e in found["elements"] if e["kind"] == "fusion"]
        assert tuple(map(tuple, depths)) == paths.chain(design).blocks

    def test_blocks_can_be_exchanged_where_the_join_is_symmetric_and_on_the_chain(self):
        def exchangeable(design):
            return [e["exchangeable"] for e in drawn(picture(design)["elements"]) if e["kind"] == "fusion"]

        assert exchangeable(fused(fusions=2)) == [True, True]
        assert exchangeable(fused(fusions=2, join="gate")) == [False, False]
        assert exchangeable(fused(fusions=0)) == [False]  # whole nets: only their order would change
        assert exchangeable(catalogue()["fractal"].make(columns=3, blocks=1)) == [True, False, False]

    def test_blocks_say_where_they_came_from(self):
        origins = [[1, 0], [0, 1]]
        found = picture(fused(fusions=2), origins=origins)
        shown = [[b["origin"] for b in e["branches"]] for e in found["elements"] if e["kind"] == "fusion"]
        assert shown == origins

    @pytest.mark.parametrize("origins", [[[0, 1]], [[0, 1], [0, 0]], [[0, 1], [0, 1, 2]], [[0, 1], [0, 2]], []])
    def test_but_only_where_they_can_have_come_from(self, origins):
        with pytest.raises(DesignError, match=r"^origins: .* accepted: for every fusion the base networks"):
            picture(fused(fusions=2), origins=origins)

    def test_stages_follow_the_size_of_the_map(self):
        found = picture(fused(fusions=6))
        assert [(s["shapes"], len(s["elements"])) for s in found["stages"]] == [
            ([[32, 32, 16]], 2),
            ([[16, 16, 32]], 2),
            ([[8, 8, 64]], 2),
        ]
        late = picture(fused(fusions=1))
        assert [s["shapes"] for s in late["stages"]] == [[[32, 32, 16], [8, 8, 64]]]

    def test_a_plain_net_is_one_lane(self):
        found = picture(plain(depth=8, fusions=3))
        assert found["lanes"] == [{"name": "plain", "role": "plain", "depth": 8}]
        assert [e["kind"] for e in found["elements"]] == ["image", "convs", *["convs", "tap"] * 3, "head"]

    @pytest.mark.parametrize("name", catalogue())
    def test_every_named_design_can_be_drawn(self, name):
        found = picture(catalogue()[name].make())
        assert found["elements"][0]["kind"] == "image"
        assert found["stages"]


def test_stages_have_the_shape_of_the_map_that_goes_on():
    def shapes(design):
        return [stage["shapes"] for stage in picture(design, (1, 8, 8))["stages"]]

    sizes = [[[8, 8, 16]], [[4, 4, 32]], [[2, 2, 64]]]
    assert shapes(fused(in_channels=1)) == sizes
    assert shapes(fused(bases=[50, 14, 20], fusions=4, join="concat", in_channels=1)) == sizes
    assert shapes(fused(fusions=1, in_channels=1)) == [[[8, 8, 16], [2, 2, 64]]]


def test_a_bounded_essential_depth_is_drawn_as_a_bound():
    assert picture(fused())["essential_exact"] is True
    assert picture(catalogue()["fractal"].make())["essential_exact"] is None
