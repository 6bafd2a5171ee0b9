"""Named designs: each with its source and status, each a net at all of its settings, each with golden numbers.

`golden/catalogue.json` holds what every entry costs and how deep it is. After a change that is meant, run this file
with DFN_REWRITE_GOLDEN=1 and read the difference; the invariants below hold for whatever is written there.
"""

import json
import os
import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ANY_JOIN

from dfn.design import paths
from dfn.design.catalogue import catalogue, fractal, fused, highway, inception, plain, resnet
from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.design.nodes import Conv, Fusion, Series
from dfn.design.spec import design_id

GOLDEN = Path(__file__).parent / "golden" / "catalogue.json"

CASES = {
    f"{name}({', '.join(f'{key}={value}' for key, value in settings.items())})": (name, settings)
    for name, settings in [
        ("fused", {}),
        ("fused", {"deep": 8, "shallow": 5, "fusions": 3}),
        ("fused", {"deep": 26, "shallow": 5, "fusions": 3}),
        ("fused", {"deep": 50, "shallow": 14, "fusions": 6}),
        ("fused", {"deep": 50, "shallow": 14, "fusions": 3}),
        ("fused", {"deep": 50, "shallow": 14, "fusions": 3, "width": 32}),
        ("fused", {"deep": 50, "shallow": 17, "fusions": 3, "width": 32}),
        ("fused", {"deep": 52, "shallow": 14, "fusions": 6}),
        ("fused", {"deep": 26, "shallow": 8, "fusions": 6, "join": "max"}),
        ("fused", {"deep": 26, "shallow": 8, "fusions": 6, "join": "concat"}),
        ("fused", {"deep": 26, "shallow": 8, "fusions": 6, "join": "gate"}),
        ("fused", {"deep": 26, "shallow": 8, "fusions": 6, "norm": "none"}),
        ("fused", {"deep": 26, "shallow": 8, "fusions": 2, "in_channels": 1, "classes": 100}),
        ("fused", {"bases": [26, 14, 8], "fusions": 6}),
        ("fused", {"bases": [200, 100, 60, 40], "fusions": 64}),
        ("plain", {}),
        ("plain", {"depth": 52}),
        ("resnet", {}),
        ("resnet", {"depth": 32}),
        ("resnet", {"depth": 56}),
        ("resnet", {"depth": 110}),
        ("highway", {}),
        ("highway", {"depth": 5}),
        ("merge-run", {}),
        ("merge-run", {"depth": 56}),
        ("merge-run", {"depth": 32, "width": 64}),
        ("merge-run", {"depth": 20, "end": "concat"}),
        ("inception", {}),
        ("inception", {"modules": 9, "width": 24}),
        ("fractal", {}),
        ("fractal", {"columns": 4, "blocks": 5}),
        ("decision", {}),
        ("late", {}),
        ("inception-resnet", {}),
        ("side-outputs", {}),
        ("multi-column", {}),
        ("adaptive-columns", {}),
        ("views-early", {}),
        ("views-late", {}),
        ("views-deep", {}),
        ("fused", {"norm": "group"}),
        ("fused", {"join": "weighted"}),
        ("fused", {"join": "adaptive"}),
        ("fused", {"join": "inverse-variance"}),
        ("highway", {"gate_bias": -1.0}),
    ]
}


def measured(design):
    found = cost(design)
    try:
        essential = paths.essential(design)
        exact = essential.depth if essential.exact else [essential.lower, essential.depth]
        chain = {
            "groups": str(paths.groups(design)),
            "base_depths": list(paths.base_depths(design)),
            "essential": exact,
        }
    except DesignError:
        chain = {}
    return {
        "id": design_id(design),
        "parameters": found.parameters,
        "macs": found.macs,
        "activation_bytes": found.activation_bytes,
        "paths": str(paths.path_count(design)),
        "deepest": max(paths.path_spectrum(design)),
        "shallowest": min(paths.path_spectrum(design)),
        **chain,
    }


def read_golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_golden_numbers():
    found = {case: measured(catalogue()[name].make(**settings)) for case, (name, settings) in CASES.items()}
    if os.environ.get("DFN_REWRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == read_golden()


class TestWhatGoldenNumbersMustObey:
    """Read from the file, so that a rewritten file has to obey as well."""

    def test_every_entry_has_some(self):
        golden = read_golden()
        assert {case.partition("(")[0] for case in golden} == set(catalogue())
        assert len({numbers["id"] for numbers in golden.values()}) == len(golden)

    def test_known_sizes(self):
        golden = read_golden()
        assert golden["fused(deep=26, shallow=5, fusions=3)"]["parameters"] == 392_506
        for settings, known in (("", 269_722), ("depth=32", 464_154), ("depth=56", 853_018), ("depth=110", 1_727_962)):
            two_projections = (16 * 32 + 2 * 32) + (32 * 64 + 2 * 64)
            assert golden[f"resnet({settings})"]["parameters"] == known + two_projections

    def test_merge_and_run_has_the_sizes_of_the_groups_code(self):
        golden = read_golden()
        assert golden["merge-run()"]["parameters"] == 349_402
        assert round(golden["merge-run(depth=56)"]["parameters"] / 1e6, 3) == 1.710
        assert round(golden["merge-run(depth=32, width=64)"]["parameters"] / 1e6, 2) == 14.85

    def test_depths_and_counts_fit_together(self):
        for numbers in read_golden().values():
            assert numbers["macs"] > numbers["parameters"] > 0
            assert numbers["activation_bytes"] % 4 == 0
            assert 2 <= numbers["shallowest"] <= numbers["deepest"]
            if "base_depths" in numbers:
                assert numbers["deepest"] >= max(numbers["base_depths"])
                assert numbers["shallowest"] <= min(numbers["base_depths"])
                essential = numbers["essential"]
                low, high = essential if isinstance(essential, list) else (essential, essential)
                assert low <= high <= max(numbers["base_depths"])
                assert low >= sum(numbers["base_depths"]) / len(numbers["base_depths"])

    def test_sums_over_base_networks(self):
        golden = read_golden()
        fused_, late_, decision_ = golden["fused()"], golden["late()"], golden["decision()"]
        assert fused_["base_depths"] == late_["base_depths"] == decision_["base_depths"] == [26, 8]
        assert golden["plain()"]["deepest"] == 26
        ends = decision_["parameters"] - cost(fused(26, 8, 3)).parameters  # a second stem and classifier
        assert ends == (9 * 3 * 16 + 2 * 16) + (64 * 10 + 10)
        assert golden["fused(deep=26, shallow=8, fusions=6, join=max)"]["macs"] == fused_["macs"]


class TestEntries:
    def test_are_these(self):
        assert set(catalogue()) == {
            "fused",
            "plain",
            "resnet",
            "highway",
            "merge-run",
            "inception",
            "fractal",
            "decision",
            "late",
            "inception-resnet",
            "side-outputs",
            "multi-column",
            "adaptive-columns",
            "views-early",
            "views-late",
            "views-deep",
        }

    @pytest.mark.parametrize("name", catalogue())
    def test_say_where_they_come_from(self, name):
        entry = catalogue()[name]
        assert entry.title
        assert entry.source
        assert entry.status in ("paper", "reconstruction", "ours")
        assert entry.status == "ours" or re.search(r"arXiv \d{4}\.\d{5}|zlmzju/fusenet", entry.source)

    def test_a_changed_copy_changes_nothing(self):
        catalogue().clear()
        assert "fused" in catalogue()

    @pytest.mark.medium
    @given(st.sampled_from(sorted(catalogue())), st.integers(1, 3), st.integers(2, 40))
    def test_have_the_classes_and_channels_that_are_asked_for(self, name, in_channels, classes):
        design = catalogue()[name].make(in_channels=in_channels, classes=classes)
        assert cost(design).input_shape == (in_channels, 32, 32)
        assert (classes,) in cost(design).shapes.values()

    @pytest.mark.medium
    @given(
        st.integers(2, 90),
        st.integers(2, 90),
        st.integers(0, 30),
        st.integers(4, 9),
        st.sampled_from(ANY_JOIN),
    )
    def test_a_fused_net_has_the_depths_that_are_asked_for(self, deep, shallow, fusions, width, join):
        design = fused(deep, shallow, fusions, width, join if fusions else "mean")
        assert paths.base_depths(design) == (deep, shallow)
        assert len(paths.chain(design).blocks) == max(1, fusions)
        for depth in (deep, shallow):
            assert paths.path_spectrum(plain(depth, fusions)) == {depth: 1}

    @pytest.mark.medium
    @given(st.lists(st.integers(2, 60), min_size=2, max_size=8), st.integers(0, 20))
    def test_and_so_it_has_for_more_base_networks(self, bases, fusions):
        assert paths.base_depths(fused(bases=bases, fusions=fusions, width=4)) == tuple(bases)

    @pytest.mark.medium
    @given(st.integers(2, 130))
    def test_a_residual_net_is_as_deep_as_it_says(self, depth):
        design = resnet(depth, width=4)
        assert paths.base_depths(design) == (depth, 2)
        assert all(isinstance(node, Fusion) and node.join == "sum" for node in design.body.nodes[1:-1])

    @given(st.integers(3, 60))
    def test_a_highway_net_has_a_gate_for_every_conv(self, depth):
        design = highway(depth, width=4)
        fusions = [node for node in design.body.nodes if isinstance(node, Fusion)]
        assert paths.base_depths(design) == (depth, 2)
        assert [node.join for node in fusions] == ["gate"] * (depth - 2)

    @pytest.mark.parametrize(("columns", "blocks"), list(product(range(1, 6), range(1, 4))))
    def test_a_fractal_net_doubles_with_every_column(self, columns, blocks):
        spectrum = paths.path_spectrum(fractal(columns, blocks, width=4))
        assert max(spectrum) == 2 + blocks * 2 ** (columns - 1)
        assert min(spectrum) == 2 + blocks
        ways = 1
        for _ in range(columns - 1):
            ways = ways**2 + 1
        assert sum(spectrum.values()) == ways**blocks

    @pytest.mark.parametrize("modules", range(1, 13))
    def test_an_inception_net_has_four_paths_a_module(self, modules):
        assert paths.path_count(inception(modules)) == 4**modules

    def test_decision_and_late_fusion_are_fused_nets(self):
        assert catalogue()["decision"].make(deep=20, shallow=8) == fused(20, 8, 0)
        assert catalogue()["late"].make(deep=20, shallow=8) == fused(20, 8, 1)

    def test_late_and_deep_fusion_of_views_have_the_same_weights(self):
        made = {name: catalogue()[f"views-{name}"].make(depth=14, width=8) for name in ("early", "late", "deep")}
        size = {name: cost(design).parameters for name, design in made.items()}
        assert size["late"] == size["deep"]
        stems = 3 * (9 * 3 * 8 + 2 * 8)
        assert size["deep"] - stems - (32 * 10 + 10) == 3 * (size["early"] - stems - (32 * 10 + 10))
        assert {name: paths.path_count(design) for name, design in made.items()} == {
            "early": 3,
            "late": 3,
            "deep": 3**7,
        }
        assert all(max(paths.path_spectrum(design)) == 14 for design in made.values())

    def test_a_module_of_inception_resnet_adds_a_fifth(self):
        fusions = [n for n in catalogue()["inception-resnet"].make().body.nodes if isinstance(n, Fusion)]
        assert {fusion.scales for fusion in fusions} == {(0.2, 1.0)}
        assert paths.path_count(catalogue()["inception-resnet"].make(modules=4)) == 4**4


class TestBlocks:
    """How convs are dealt to blocks, and where the stages begin."""

    def strides(self, design):
        return [
            [[node.stride for node in branch.nodes if isinstance(node, Conv)] for branch in node.branches]
            for node in design.body.nodes
            if isinstance(node, Fusion)
        ]

    def test_extra_convs_go_to_earlier_blocks(self):
        assert [row[0] for row in paths.chain(fused(deep=19, shallow=2, fusions=6)).blocks] == [3, 3, 3, 3, 3, 2]
        assert [row[1] for row in paths.chain(fused(deep=19, shallow=4, fusions=6)).blocks] == [1, 1, 0, 0, 0, 0]

    def test_only_the_first_conv_of_a_stage_strides(self):
        assert self.strides(fused(deep=14, shallow=8, fusions=6)) == [
            [[1, 1], [1]],
            [[1, 1], [1]],
            [[2, 1], [2]],
            [[1, 1], [1]],
            [[2, 1], [2]],
            [[1, 1], [1]],
        ]

    def test_extra_fusions_go_to_earlier_stages(self):
        sizes = [shape for name, shape in cost(fused(fusions=5)).shapes.items() if name.endswith("joined")]
        assert sizes == [(16, 32, 32)] * 2 + [(32, 16, 16)] * 2 + [(64, 8, 8)]

    @pytest.mark.parametrize(("fusions", "sides"), [(1, [8]), (2, [16, 8]), (3, [32, 16, 8])])
    def test_few_fusions_follow_the_last_stages(self, fusions, sides):
        shapes = cost(fused(fusions=fusions)).shapes
        assert [shapes[f"fusion{n + 1}/joined"][1] for n in range(fusions)] == sides

    def test_a_block_without_convs_is_the_identity_or_a_projection(self):
        design = fused(deep=8, shallow=2, fusions=3, width=4)
        shallow = [node.branches[1] for node in design.body.nodes if isinstance(node, Fusion)]
        projections = [Conv(channels=channels, kernel=1, stride=2, projection=True) for channels in (8, 16)]
        assert shallow == [Series(), *(Series(nodes=(projection,)) for projection in projections)]

    def test_a_block_that_crosses_stages_without_enough_convs_strides_over_them(self):
        late_block = fused(deep=8, shallow=3, fusions=1, width=4).body.nodes[1]
        assert isinstance(late_block, Fusion)
        conv, projection = late_block.branches[1].nodes
        assert conv == Conv(channels=4)
        assert projection == Conv(channels=16, kernel=1, stride=4, projection=True)
