"""Paths, base networks and their depths: the plan's numbers, and every fold against a brute-force enumeration."""

from collections import Counter
from itertools import islice, permutations, product
from math import ceil, prod

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import ANY_JOIN, chains, designs

from dfn.design import paths
from dfn.design.catalogue import fractal, fused, merge_run, plain, resnet
from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.design.nodes import SYMMETRIC_JOINS, Conv, Fusion, Head, MergeRun, Pool, Series, View
from dfn.design.spec import Design, canonical, design_id

TWO_TO_60 = fused(bases=[62, 2], fusions=60)


def every_path(node):
    """All ways through a node, each as the tuple of the convs, pools, views and classifiers on it."""
    if isinstance(node, Series):
        for parts in product(*(list(every_path(child)) for child in node.nodes)):
            yield sum(parts, ())
    elif isinstance(node, Fusion):
        for branch in node.branches:
            yield from every_path(branch)
    elif isinstance(node, MergeRun):
        yield from streamed(node)
    else:
        yield (node,)


def streamed(node):
    """All ways through streams: at every step through the block of one's own stream, or over the mean to any."""
    ways = [(k, ()) for k in range(len(node.steps[0]))]
    for number, blocks in enumerate(node.steps, start=1):
        through = [(k, way + part) for k, way in ways for part in every_path(blocks[k])]
        strided = [n for n in next(every_path(blocks[0])) if isinstance(n, Conv | Pool)]
        last = number == len(node.steps) and node.end == "merge"
        line = Conv(channels=1, kernel=1, stride=prod(n.stride for n in strided), projection=True)
        across = [(k, (*way, line)) for k in range(1 if last else len(blocks)) for _, way in ways]
        ways = through + across
    yield from (way for _, way in ways)


def depth(path):
    return sum(isinstance(n, Head) or (isinstance(n, Conv) and not n.projection) for n in path)


def block_depths(design):
    return [
        [max(map(depth, every_path(branch))) for branch in node.branches]
        for node in design.body.nodes
        if isinstance(node, Fusion)
    ]


def shared_depth(design):
    return sum(depth(path) for node in design.body.nodes if not isinstance(node, Fusion) for path in every_path(node))


class TestSpectrum:
    @pytest.mark.parametrize(
        ("deep", "shallow", "fusions", "groups", "spectrum", "essential"),
        [
            (8, 5, 3, 4, {8: 1, 7: 3, 6: 3, 5: 1}, 7),
            (26, 5, 3, 4, {26: 1, 19: 3, 12: 3, 5: 1}, 19),
            (50, 14, 6, 32, {50: 1, 44: 6, 38: 15, 32: 20, 26: 15, 20: 6, 14: 1}, 32),
            (50, 14, 3, 4, {50: 1, 38: 3, 26: 3, 14: 1}, 38),
            (50, 17, 3, 4, {50: 1, 39: 3, 28: 3, 17: 1}, 39),
            (26, 8, 6, 32, {26: 1, 23: 6, 20: 15, 17: 20, 14: 15, 11: 6, 8: 1}, 17),
        ],
    )
    def test_known_nets(self, deep, shallow, fusions, groups, spectrum, essential):
        design = fused(deep=deep, shallow=shallow, fusions=fusions)
        assert list(paths.path_spectrum(design).items()) == list(spectrum.items())  # from deep to shallow
        assert paths.path_count(design) == 2**fusions
        assert paths.groups(design) == groups
        assert paths.essential_depth(design) == essential
        assert paths.base_depths(design) == (deep, shallow)

    @pytest.mark.medium
    @given(designs())
    def test_counts_what_enumeration_counts(self, design):
        assume(paths.path_count(design) <= 500)
        found = list(every_path(design.body))
        assert paths.path_spectrum(design) == Counter(map(depth, found))
        assert paths.path_count(design) == len(found)

    def test_counts_are_exact_at_any_size(self):
        spectrum = paths.path_spectrum(fused(bases=[130, 2], fusions=128))
        assert sum(spectrum.values()) == 2**128
        assert spectrum[130] == spectrum[2] == 1
        assert spectrum[66] == 23951146041928082866135587776380551750  # 128 over 64

    def test_fractal_columns_expand_by_their_rule(self):
        # f1 = z, f2 = f1 f1 + z, f3 = f2 f2 + z; one block between stem and classifier (FractalNet, section 3)
        assert paths.path_spectrum(fractal(columns=3, blocks=1)) == {6: 1, 5: 2, 4: 1, 3: 1}

    def test_a_residual_net_has_binomially_many_paths(self):
        spectrum = paths.path_spectrum(resnet(depth=20))
        assert spectrum == {20: 1, 18: 9, 16: 36, 14: 84, 12: 126, 10: 126, 8: 84, 6: 36, 4: 9, 2: 1}

    @pytest.mark.parametrize(("steps", "mean", "spread"), [(9, 8.0, 2.83), (24, 18.0, 4.62)], ids=["L=9", "L=24"])
    def test_streams_have_the_path_lengths_of_the_paper(self, steps, mean, spread):
        spectrum = paths.path_spectrum(merge_run(2 + 2 * steps, width=4, end="concat"))
        count = sum(spectrum.values())
        found = sum(length * n for length, n in spectrum.items()) / count
        assert found == pytest.approx(mean)
        variance = sum((length - found) ** 2 * n for length, n in spectrum.items()) / count
        assert variance**0.5 == pytest.approx(spread, abs=0.005)

    def test_the_step_that_merges_streams_has_two_blocks_and_two_lines(self):
        # L - 1 steps with one way of three through a block, and a last one with one of two
        spectrum = paths.path_spectrum(merge_run(20, width=4))
        assert sum(n * d for d, n in spectrum.items()) / sum(spectrum.values()) == pytest.approx(
            2 + 2 * (8 / 3 + 1 / 2)
        )


class TestBaseNetworks:
    @given(chains(joins=ANY_JOIN))
    def test_all_of_them(self, design):
        rows = block_depths(design)
        expected = [
            (choice, shared_depth(design) + sum(row[k] for row, k in zip(rows, choice, strict=True)))
            for choice in product(range(len(rows[0])), repeat=len(rows))
        ]
        assert list(paths.base_networks(design)) == expected
        assert Counter(d for _, d in expected) == paths.path_spectrum(design)
        assert paths.base_depths(design) == tuple(d for choice, d in expected if len(set(choice)) == 1)

    def test_the_first_of_very_many_comes_at_once(self):
        first = list(islice(paths.base_networks(TWO_TO_60), 2))
        assert first == [((0,) * 60, 62), ((0,) * 59 + (1,), 61)]
        assert paths.path_count(TWO_TO_60) == 2**60

    @given(chains(joins=ANY_JOIN))
    def test_an_example_of_every_depth(self, design):
        examples = paths.example_paths(design)
        assert sorted(examples, reverse=True) == list(paths.path_spectrum(design))
        known = dict(paths.base_networks(design))
        assert all(known[choice] == depth for depth, choice in examples.items())

    @pytest.mark.parametrize(
        "ask", [paths.chain, paths.groups, paths.essential, paths.distances, paths.base_depths, paths.example_paths]
    )
    def test_nested_fusions_have_no_base_networks(self, ask):
        with pytest.raises(DesignError, match="nested or unequal fusions"):
            ask(fractal(columns=3))
        with pytest.raises(DesignError, match="streams that stay apart"):
            ask(merge_run(8))
        unequal = [Fusion(branches=(Series(),) * lanes) for lanes in (2, 3)]
        with pytest.raises(DesignError, match="nested or unequal fusions"):
            ask(Design(body=Series(nodes=(*unequal, Head()))))

    def test_a_plain_net_is_its_own_base_network(self):
        design = plain(depth=14)
        assert list(paths.base_networks(design)) == [((), 14)]
        assert (paths.groups(design), paths.essential_depth(design), paths.distances(design)) == (1, 14, [])


def blocks_by_lane(design):
    """For every fusion its blocks as labels, lane by lane, and whether its join lets them be exchanged."""
    fusions = [node for node in design.body.nodes if isinstance(node, Fusion)]
    return [
        ([(b, k) for k in range(len(node.branches))], node.join in SYMMETRIC_JOINS) for b, node in enumerate(fusions)
    ]


def every_group(design):
    """All sets of base networks that can be formed, each base network as the tuple of its blocks."""
    rows = blocks_by_lane(design)
    orders = [list(permutations(row)) if free else [tuple(row)] for row, free in rows]
    return {frozenset(zip(*choice, strict=True)) for choice in product(*orders)}


class TestGroups:
    @settings(max_examples=40)
    @given(chains(joins=ANY_JOIN, fusions=st.integers(1, 3)))
    def test_counts_what_enumeration_counts(self, design):
        assert paths.groups(design) == len(every_group(design))

    def test_are_counted_exactly_at_any_size(self):
        assert paths.groups(fused(bases=[9, 8, 7, 6], fusions=64)) == 24**63


class TestEssentialDepth:
    def brute_force(self, design):
        depths = block_depths(design)
        return shared_depth(design) + min(
            max(sum(depths[b][k] for b, k in member) for member in group) for group in every_group(design)
        )

    @settings(max_examples=60)
    @given(chains(bases=st.just(2), fusions=st.integers(1, 7), deepest=9, joins=ANY_JOIN))
    def test_is_exact_for_two_uneven_base_networks(self, design):
        found = paths.essential(design)
        assert found.exact
        assert found.depth == self.brute_force(design)

    @pytest.mark.medium
    @settings(max_examples=60)
    @given(chains(bases=st.integers(3, 4), fusions=st.integers(1, 3), deepest=9, joins=ANY_JOIN))
    def test_is_bounded_by_what_it_says_for_more(self, design):
        found, true = paths.essential(design), self.brute_force(design)
        assert found.lower <= true <= found.depth
        assert found.exact, "three or four base networks and three fusions are a small case"

    def test_says_so_where_it_is_bounded_and_not_solved(self):
        found = paths.essential(fused(bases=[110, 90, 77, 60, 41, 30, 12, 5], fusions=3))
        assert (found.depth, found.lower, found.exact) == (58, 54, False)
        assert isinstance(found.lower, int)

    @pytest.mark.parametrize(("deep", "shallow", "fusions"), [(8, 2, 6), (16, 4, 3), (9, 1, 5), (3, 3, 4)])
    def test_is_the_closed_form_for_uniform_blocks(self, deep, shallow, fusions):
        design = fused(deep=2 + fusions * deep, shallow=2 + fusions * shallow, fusions=fusions)
        assert paths.essential_depth(design) == 2 + ceil(fusions / 2) * deep + fusions // 2 * shallow

    def test_blocks_that_keep_their_places_cannot_be_balanced(self):
        assert paths.essential_depth(fused(deep=50, shallow=14, fusions=6, join="gate")) == 50
        assert paths.essential_depth(fused(deep=50, shallow=14, fusions=0)) == 50


class TestExchange:
    @pytest.mark.medium
    @given(chains(joins=SYMMETRIC_JOINS), st.data())
    def test_leaves_the_fused_net_as_it_is(self, design, data):
        fusion = data.draw(st.integers(1, len(blocks_by_lane(design))))
        other = paths.exchange(design, fusion)
        for measure in (
            paths.path_spectrum,
            paths.groups,
            paths.essential,
            paths.receptive_fields,
            canonical,
            design_id,
        ):
            assert measure(other) == measure(design)
        before, after = cost(design), cost(other)
        assert (before.parameters, before.macs, before.activation_bytes) == (
            after.parameters,
            after.macs,
            after.activation_bytes,
        )
        assert sum(paths.base_depths(other)) == sum(paths.base_depths(design))
        assert Design(**dict(other)) == other  # still passes every check

    @pytest.mark.medium
    @given(designs(joins=SYMMETRIC_JOINS), st.data())
    def test_as_often_as_there_are_branches_changes_nothing(self, design, data):
        fusions = [node for node in design.body.nodes if isinstance(node, Fusion)]
        assume(fusions)
        number = data.draw(st.integers(1, len(fusions)))
        other = design
        for _ in fusions[number - 1].branches:
            other = paths.exchange(other, number)
        assert other == design

    def test_moves_depth_from_the_deep_to_the_shallow_base_network(self):
        design = fused(deep=50, shallow=14, fusions=6)
        assert paths.base_depths(paths.exchange(design, 2)) == (44, 20)
        assert paths.base_depths(design) == (50, 14)
        assert paths.exchange(design, 2) != design

    @pytest.mark.parametrize("join", ["concat", "gate"])
    def test_is_refused_where_every_block_has_its_place(self, join):
        with pytest.raises(DesignError, match=f"^join: {join} is not accepted; accepted: one of sum, mean, max"):
            paths.exchange(fused(join=join), 1)

    @pytest.mark.parametrize("fusion", [0, 7, -1, True, "1", 1.0, None])
    def test_is_refused_where_there_is_no_such_fusion(self, fusion):
        with pytest.raises(DesignError, match=r"^fusion: .* accepted: a whole number from 1 to 6$"):
            paths.exchange(fused(fusions=6), fusion)
        with pytest.raises(DesignError, match="a net without fusions"):
            paths.exchange(plain(), fusion)


def layer_graph(design):
    """The layers and joins of a chain as a graph {vertex: [next vertices]}: layers are ("layer", fusion, base, number)
    or ("shared", number), and only these count as steps."""
    graph = {"end": []}
    ends, shared = ["start"], 0
    number = 0
    for node in design.body.nodes:
        if isinstance(node, Fusion):
            number += 1
            lanes = []
            for k, branch in enumerate(node.branches):
                lane = ends
                for layer in range(1, max(map(depth, every_path(branch))) + 1):
                    lane = extend(graph, lane, ("layer", number, k, layer))
                lanes += extend(graph, lane, ("out", number, k))
            ends = extend(graph, lanes, ("join", number))
        else:
            for _ in range(depth(next(every_path(node)))):
                shared += 1
                ends = extend(graph, ends, ("shared", shared))
    extend(graph, ends, "end")
    return graph


def extend(graph, ends, vertex):
    for end in ends:
        graph.setdefault(end, []).append(vertex)
    return [vertex]


def fewest_layers(graph, start, goal, lane=None):
    """The layers on the shortest way behind `start` and before `goal`, or behind it where the goal is the end."""

    def steps(vertex):
        return vertex[0] in ("layer", "shared")

    def allowed(vertex):
        return lane is None or vertex[0] not in ("layer", "out") or vertex[2] == lane

    best, waiting = {start: 0}, [start]
    while waiting:
        vertex = waiting.pop()
        for after in filter(allowed, graph[vertex]):
            length = best[vertex] + (after != goal and steps(after))
            if length < best.get(after, length + 1):
                best[after] = length
                waiting.append(after)
    return best[goal]


class TestDistances:
    @given(chains(joins=ANY_JOIN))
    def test_are_the_shortest_ways_through_the_net(self, design):
        graph = layer_graph(design)
        found = paths.distances(design)
        assert {("layer", d.fusion, d.base, d.layer) for d in found} == {v for v in graph if v[0] == "layer"}
        for d in found:
            vertex = ("layer", d.fusion, d.base, d.layer)
            assert d.to_output == fewest_layers(graph, vertex, "end")
            assert d.to_input == fewest_layers(graph, "start", vertex)
            assert d.alone_to_output == fewest_layers(graph, vertex, "end", d.base)
            assert d.alone_to_input == fewest_layers(graph, "start", vertex, d.base)

    def test_the_first_deep_layer_is_nearer_to_the_output_than_it_was_alone(self):
        first = paths.distances(fused(deep=50, shallow=14, fusions=6))[0]
        # 7 more layers of its block, then 5 shallow blocks of 2 or 5 deep ones of 8, then the classifier
        assert (first.to_output, first.alone_to_output, first.to_input) == (7 + 10 + 1, 7 + 40 + 1, 1)


class TestReceptiveFields:
    def seen(self, path):
        """Which places of the input one place behind the path sees, found by going back through its windows."""
        places = {0}
        for node in reversed(path):
            match node:
                case Conv() | Pool():
                    kernel, stride = node.kernel, node.stride
                case View():
                    kernel, stride = (1 if node.view == "full" else 3), 1
                case _:
                    continue
            places = {place * stride + offset for place in places for offset in range(kernel)}
        return max(places) - min(places) + 1

    @pytest.mark.medium
    @given(designs())
    def test_are_what_the_windows_see(self, design):
        assume(paths.path_count(design) <= 200)
        assert paths.receptive_fields(design) == Counter(map(self.seen, every_path(design.body)))

    def test_of_a_stack_of_convs(self):
        assert paths.receptive_fields(plain(depth=5, fusions=3)) == {1 + 2 + 2 + 2 + 4: 1}
