"""A design as data: JSON both ways, equality, canonical form and id, and errors at birth."""

import copy
import json
from functools import reduce

import pytest
from hypothesis import given
from strategies import ANY_JOIN, designs, fused_settings

from dfn.design import paths
from dfn.design.catalogue import catalogue, fused, plain
from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.design.nodes import Conv, Fusion, Head, MergeRun, Pool, Series, Tap, View
from dfn.design.spec import Design, canonical, design_id, from_data, from_json, to_json

C, P = Conv(channels=4), Conv(channels=4, kernel=1, projection=True)


def net(*nodes, **settings):
    return Design(body=Series(nodes=(*nodes, Head())), **settings)


def series(*nodes):
    return Series(nodes=nodes)


def fusion(*branches, **settings):
    return Fusion(branches=tuple(series(*branch) for branch in branches), **settings)


class TestJson:
    @pytest.mark.medium
    @given(designs())
    def test_round_trip(self, design):
        text = to_json(design)
        assert from_json(text) == from_json(text.encode()) == from_data(json.loads(text)) == design
        assert to_json(from_json(text)) == text

    @pytest.mark.medium
    @given(fused_settings())
    def test_round_trip_of_fused_nets(self, settings):
        design = fused(**settings)
        assert from_json(to_json(design)) == design

    @pytest.mark.parametrize("name", catalogue())
    def test_round_trip_of_named_nets(self, name):
        design = catalogue()[name].make()
        assert from_json(to_json(design)) == design

    def test_says_nothing_that_is_at_its_default(self):
        text = to_json(net(C, fusion([C], [])))
        assert text == (
            '{"body":{"nodes":[{"kind":"conv","channels":4},{"kind":"fusion","branches":'
            '[{"nodes":[{"kind":"conv","channels":4}]},{"nodes":[]}]},{"kind":"head"}]}}'
        )

    def test_a_mark_at_the_beginning_of_a_file_does_no_harm(self):
        text = to_json(plain())
        assert from_json("\ufeff" + text) == from_json(b"\xef\xbb\xbf" + text.encode()) == plain()

    @pytest.mark.medium
    def test_the_largest_design_fits_into_the_largest_text(self):
        conv = Conv(channels=11, kernel=13, projection=True, dropout=0.30000000000000004)
        design = net(*[conv] * 19_998)
        assert from_json(to_json(design)) == design


C_, N = series(C), series()


def test_the_deepest_nesting_of_streams_fits_into_its_text():
    node = Conv(channels=3)
    while True:
        wrapped = MergeRun(steps=((series(node), series()),))
        try:
            net(wrapped)
        except DesignError as error:
            assert "nested" in str(error)
            break
        node = wrapped
    deepest = net(node)
    assert from_json(to_json(deepest)) == deepest


class TestEquality:
    EQUAL = (
        (fusion([C], []), fusion([], [C]), "a sum does not care about the order of its branches"),
        (fusion([C], [], join="max"), fusion([], [C], join="max"), "nor does a maximum"),
        (fusion([C], [], join="mean"), fusion([], [C], join="mean"), "nor does a mean"),
        (fusion([C], [C, C], []), fusion([], [C], [C, C]), "nor do three branches"),
        (fusion([fusion([C], [])], [P]), fusion([P], [fusion([], [C])]), "nor do fusions inside branches"),
        (series(C, series(C)), series(C, C), "a nested series is opened"),
        (series(), series(series(), series()), "an empty series is no layer"),
        (fusion([series(series(C))], []), fusion([C], []), "branches are opened as well"),
        (fusion([C], [], scales=[2, 1]), fusion([], [C], scales=[1, 2]), "a scale belongs to its branch"),
        (
            MergeRun(steps=((C_, N), (N, C_))),
            MergeRun(steps=((N, C_), (C_, N))),
            "streams may change their names all the way",
        ),
        (Conv(channels=4, kernel=3, stride=1), C, "a default may be spelt out"),
        (Conv(channels=4, dropout=0), Conv(channels=4, dropout=0.0), "0 and 0.0 are one probability"),
        (Conv(channels=4, dropout=-0.0), C, "and so is -0.0"),
    )
    UNEQUAL = (
        (fusion([C], [P], join="gate"), fusion([P], [C], join="gate"), "a gate weighs its first branch"),
        (fusion([C], [P], join="concat"), fusion([P], [C], join="concat"), "a concat keeps its channels in order"),
        (fusion([C], []), fusion([C], [], join="mean"), "half of a sum"),
        (fusion([C], [], scales=[2, 1]), fusion([C], [], scales=[1, 2]), "the other branch counts twice"),
        (fusion([C], [P], join="adaptive"), fusion([P], [C], join="adaptive"), "its small net knows the order"),
        (fusion([C], []), fusion([C], [], relu="before"), "the ReLU stands elsewhere"),
        (fusion([C], []), fusion([C], [], drop_path=0.1), "branches are dropped"),
        (fusion([C], []), fusion([C], [C]), "as many branches, but one is longer"),
        (fusion([C], []), fusion([C], [], []), "the map counts twice in the sum"),
        (fusion([C], [], []), fusion([fusion([C], [])], []), "the same sum, but the inner one has a ReLU behind it"),
        (fusion([C, C], []), fusion([C, P], []), "a projection has no ReLU and counts 0"),
        (
            MergeRun(steps=((C_, N), (N, C_))),
            MergeRun(steps=((C_, N), (C_, N))),
            "the blocks of one step of streams cannot be exchanged",
        ),
        (
            MergeRun(steps=((C_, N),), end="concat"),
            MergeRun(steps=((N, C_),), end="concat"),
            "streams side by side keep their order",
        ),
        (Conv(channels=4, dropout=0.1), Conv(channels=4, dropout=0.2), "another probability"),
        (Pool(mode="max"), Pool(mode="average"), "another kind of pooling"),
        (Pool(kernel=3, stride=2), Pool(kernel=2, stride=2), "another window"),
        (View(view="low-pass"), View(view="edges"), "what one keeps the other takes away"),
        (Tap(name="a"), Tap(name="b"), "the map has another name in the trace"),
        (Tap(name="a"), series(), "the map has no name in the trace"),
        (series(C, Pool()), series(Pool(), C), "pooled before or behind the conv"),
    )

    @pytest.mark.parametrize(("one", "other", "why"), EQUAL)
    def test_written_in_two_ways(self, one, other, why):
        first, second = net(C, one), net(C, other)
        assert canonical(first) == canonical(second), why
        assert hash(canonical(first)) == hash(canonical(second))
        assert design_id(first) == design_id(second)

    @pytest.mark.parametrize(("one", "other", "why"), UNEQUAL)
    def test_two_different_nets(self, one, other, why):
        first, second = net(C, one), net(C, other)
        assert canonical(first) != canonical(second), why
        assert design_id(first) != design_id(second)

    @pytest.mark.parametrize("settings", [{"classes": 11}, {"norm": "none"}, {"in_channels": 1}])
    def test_the_same_body_in_another_net(self, settings):
        assert design_id(net(C, **settings)) != design_id(net(C))

    def test_blocks_of_different_fusions_do_not_mix(self):
        one = net(C, fusion([C], [C, C]), fusion([], [C, C, C]))
        other = net(C, fusion([C], [C, C, C]), fusion([], [C, C]))
        assert paths.base_depths(one) == paths.base_depths(other)
        assert paths.path_spectrum(one) != paths.path_spectrum(other)
        assert design_id(one) != design_id(other)

    def test_an_id_stays_what_it_was(self):
        # a changed id would orphan every run that was made before
        assert design_id(fused()) == "390aa23066c0"
        assert design_id(plain()) == "7c66f2765ffd"

    @pytest.mark.medium
    @given(designs())
    def test_canonical_form_is_a_design_of_the_same_net(self, design):
        same = canonical(design)
        assert canonical(same) == same
        assert from_json(to_json(same)) == same  # passes every check
        assert design_id(same) == design_id(design)
        assert paths.path_spectrum(same) == paths.path_spectrum(design)
        assert paths.receptive_fields(same) == paths.receptive_fields(design)
        before, after = cost(design), cost(same)
        assert (before.parameters, before.macs, before.activation_bytes) == (
            after.parameters,
            after.macs,
            after.activation_bytes,
        )

    @pytest.mark.medium
    @given(designs(joins=ANY_JOIN))
    def test_equal_designs_hash_equal(self, design):
        assert hash(from_json(to_json(design))) == hash(design)


class TestBirth:
    """What is refused when a design is written by hand; `test_design_hostile` does the same with text."""

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (
                lambda: Conv(channels=0),
                "channels: 0 is not accepted; accepted: a whole number from 1 to 4096",
            ),
            (
                lambda: Conv(chanels=3),
                "chanels: 3 is not accepted; accepted: only the fields kind, channels, kernel, stride, projection, "
                "dropout",
            ),
            (lambda: Conv(), "channels: nothing is not accepted; accepted: a value, this field is required"),
            (
                lambda: net(Conv(channels=4, kernel=2)),
                "body.nodes[0].kernel: 2 is not accepted; accepted: an odd number, so that padding is even",
            ),
            (
                lambda: net(Pool(kernel=4, stride=3)),
                "body.nodes[0].kernel: 4 is not accepted; accepted: an odd number, or the stride itself",
            ),
            (
                lambda: net(*[Pool(kernel=8, stride=8)] * 5),
                "body.nodes[4].stride: 8 is not accepted; accepted: strides that multiply to at most 4096",
            ),
            (
                lambda: Design(body=series(C)),
                "body: a net without a classifier is not accepted; accepted: a `head` node at the end of every path",
            ),
            (
                lambda: net(Head()),
                "body.nodes[1]: a head behind the classifier is not accepted; accepted: nothing behind a `head` node",
            ),
            (
                lambda: net(C, fusion([C], [Conv(channels=5)])),
                "body.nodes[1].branches[1]: a map of 5 channels at 1/1 of the size is not accepted; accepted: what "
                "branches[0] gives, 4 channels at 1/1 (add a projection)",
            ),
            (
                lambda: net(C, fusion([C], [Conv(channels=4, stride=2)])),
                "body.nodes[1].branches[1]: a map of 4 channels at 1/2 of the size is not accepted; accepted: what "
                "branches[0] gives, 4 channels at 1/1 (add a projection)",
            ),
            (
                lambda: Design(body=series(C, fusion([Head()], []))),
                "body.nodes[1]: a join of logits and maps is not accepted; accepted: a classifier in every branch or "
                "in none",
            ),
            (
                lambda: Design(body=series(fusion([C, Head()], [C, Head()], join="gate"))),
                "body.nodes[0].join: gate is not accepted; accepted: sum, mean, max, weighted, adaptive, "
                "inverse-variance between whole nets (their logits)",
            ),
            (
                lambda: net(Tap(name="a"), series(Tap(name="a"))),
                "body: a second tap named a is not accepted; accepted: another name",
            ),
            (
                lambda: net(*[Conv(channels=4096)] * 5),
                "body: a net of 604,172,298 parameters is not accepted; accepted: at most 500,000,000",
            ),
            (
                lambda: net(reduce(lambda inner, _: series(inner), range(40), C)),
                "body: nodes nested 41 deep is not accepted; accepted: at most 40 levels",
            ),
            (
                lambda: net(*[C] * 20_000),
                "body: a net of more than 20000 nodes is not accepted; accepted: at most 20000 nodes",
            ),
        ],
    )
    def test_is_refused_in_one_clear_line(self, make, message):
        with pytest.raises(DesignError) as caught:
            make()
        assert str(caught.value) == message
        assert isinstance(caught.value, ValueError)

    @pytest.mark.parametrize(
        "name", ["input", "stem", "logits", "joined", "deep", "conv1", "fusion12", "base3", "merge1"]
    )
    def test_a_tap_takes_no_name_that_a_map_has_anyway(self, name):
        with pytest.raises(DesignError, match=f"^name: {name} is not accepted"):
            Tap(name=name)

    def test_the_same_tap_name_in_two_branches_is_two_maps(self):
        design = net(C, fusion([Tap(name="a")], [Tap(name="a")]))
        assert {"fusion1/deep/a", "fusion1/shallow/a"} < set(cost(design).shapes)

    def test_nothing_changes_afterwards(self):
        with pytest.raises(ValueError, match="frozen"):
            C.channels = 8

    def test_an_error_can_be_copied(self):
        error = DesignError("width", 0, "a whole number")  # as it is on its way from one process to another
        again = copy.copy(error)
        assert (str(again), again.field, again.value, again.accepted) == (str(error), "width", 0, "a whole number")
