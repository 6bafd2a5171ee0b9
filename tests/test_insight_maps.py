"""Feature maps: that they are those of the net, that the numbers about them are right, and what the view is told."""

import base64
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import dfn
from dfn.design.nodes import Conv, Head, Series
from dfn.design.spec import Design
from dfn.insight.fields import theoretical_fields
from dfn.insight.maps import (
    SnapshotError,
    cosine,
    map_stacks,
    opposite_signs,
    places,
    predictions,
    reach,
    shares,
    silent,
)
from dfn.insight.maps_view import answers, encode, photo, view_data
from dfn.models.build import build


def _kept(folder, design, seeds=(0, 1)):
    """Snapshots of nets with fresh weights of these seeds, as epochs 0, 1, ..."""
    files = {}
    for epoch, seed in enumerate(seeds):
        files[epoch] = folder / f"epoch-{epoch:04d}.safetensors"
        save_file(build(design, seed).state_dict(), files[epoch])
    return files


def _decoded(text, shape):
    return np.frombuffer(base64.b64decode(text), "<f2").reshape(shape)


def _image(channels=1, side=8):
    return torch.randn(channels, side, side, generator=torch.Generator().manual_seed(0))


# ---- numbers ---------------------------------------------------------------------------------------------------------


def test_shares_are_parts_of_the_summed_sizes():
    deep, shallow = np.array([[3.0, -1.0]]), np.array([[0.5, -0.5]])
    assert shares([deep, shallow]) == (0.8, 0.2)
    assert shares([deep, shallow, deep]) == pytest.approx((4 / 9, 1 / 9, 4 / 9))
    assert shares([deep, np.zeros(2)]) == (1.0, 0.0)
    assert all(math.isnan(share) for share in shares([np.zeros(2), np.zeros(2)]))


def test_cosine_is_that_of_two_long_vectors():
    a = np.array([[1.0, 2.0], [2.0, 0.0]])
    assert cosine(a, 5 * a) == pytest.approx(1.0)
    assert cosine(a, -a) == pytest.approx(-1.0)
    assert cosine(np.array([1.0, 0.0]), np.array([0.0, 7.0])) == 0.0
    assert cosine(np.array([1.0, 1.0]), np.array([1.0, 0.0])) == pytest.approx(math.sqrt(0.5))
    assert math.isnan(cosine(a, 0 * a))


def test_opposite_signs_count_positions_where_blocks_cancel():
    a = np.array([[1.0, -1.0, 1.0, 0.0]])
    b = np.array([[2.0, 3.0, -1e-30, -5.0]])
    assert opposite_signs(a, b) == 0.5
    tiny = np.full((2, 2), 1e-30, dtype=np.float32)
    assert opposite_signs(tiny, -tiny) == 1.0  # a product of these would be 0


def test_silent_positions_are_exact_zeros():
    assert silent(np.array([0.0, 1e-30, -1.0, 0.0])) == 0.5


def test_a_scale_ends_at_the_greatest_value_unless_that_lies_far_out():
    even = np.linspace(-2, 1, 1000, dtype=np.float32)
    assert reach([even]) == 2.0
    outlier = np.append(np.linspace(0.1, 1, 1000), 50.0)
    assert 0.98 < reach([outlier]) <= 1.0
    assert reach([np.zeros(4), np.array([np.nan, np.inf, -3.0])]) == 3.0
    assert reach([np.zeros(4)]) == 1.0


# ---- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", dfn.catalogue())
def test_every_named_net_has_places_and_they_are_in_its_trace(name):
    design = dfn.catalogue()[name].make(width=4, in_channels=1)
    with torch.inference_mode():
        _, trace = build(design).eval().trace(_image()[None])
    found = places(design)
    assert found
    for place in found:
        assert place.names
        assert all(trace[map_name].ndim == 4 for map_name in place.names)
        assert len(place.blocks) == len(place.depths) == len(place.lanes)


def test_places_of_a_fused_net_are_its_fusions():
    first, second, third = places(dfn.fused(8, 5, 3, width=4))
    assert (first.title, first.blocks) == ("fusion 1", ("fusion1/deep", "fusion1/shallow"))
    assert (second.joined, second.join, second.relu) == ("fusion2/joined", "sum", True)
    assert (third.lanes, third.depths) == (("deep", "shallow"), (2, 1))


def test_places_of_other_nets():
    plain = places(dfn.catalogue()["plain"].make(depth=8, fusions=3))
    assert [place.title for place in plain] == ["block 1", "block 2", "block 3"]
    assert all(place.joined and not place.blocks for place in plain)
    decision = places(dfn.fused(8, 5, 0, width=4))
    assert decision[0].blocks == ("fusion1/deep/block1", "fusion1/shallow/block1")
    assert decision[0].joined is None and decision[0].lanes == ("deep", "shallow")
    only_stem = places(Design(body=Series(nodes=(Conv(channels=4), Head())), classes=3, in_channels=1))
    assert [place.names for place in only_stem] == [("stem",)]
    assert places(Design(body=Series(nodes=(Head(),)), classes=3, in_channels=1)) == []


# ---- maps of nets ----------------------------------------------------------------------------------------------------


def test_stacks_are_the_traces_of_every_snapshot(tmp_path):
    design = dfn.fused(8, 5, 3, width=4, in_channels=1)
    names = [name for place in places(design) for name in place.names]
    stacks, probabilities = map_stacks(design, _kept(tmp_path, design), _image(), names)
    assert set(stacks) == set(names) and stacks["fusion1/deep"].shape == (2, 4, 8, 8)
    for epoch in (0, 1):
        with torch.inference_mode():
            logits, trace = build(design, epoch).eval().trace(_image()[None])
        np.testing.assert_array_equal(probabilities[epoch], logits[0].softmax(0).numpy())
        for name in names:
            np.testing.assert_array_equal(stacks[name][epoch], trace[name][0].numpy())
    joined = np.maximum(stacks["fusion2/deep"] + stacks["fusion2/shallow"], 0)
    np.testing.assert_array_equal(stacks["fusion2/joined"], joined)


def test_predictions_agree_with_the_net(tmp_path):
    design = dfn.fused(8, 5, 3, width=4, in_channels=1)
    images = torch.randn(7, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    called, sure = predictions(design, _kept(tmp_path, design)[1], images)
    with torch.inference_mode():
        expected = build(design, 1).eval()(images).softmax(1)
    np.testing.assert_array_equal(called, expected.argmax(1).numpy())
    np.testing.assert_allclose(sure, expected.max(1).values.numpy())


@pytest.mark.parametrize("damage", ["missing", "torn", "other net"])
def test_a_snapshot_that_is_none_is_refused_by_name(tmp_path, damage):
    design = dfn.fused(8, 5, 3, width=4, in_channels=1)
    files = _kept(tmp_path, design)
    if damage == "missing":
        files[1].unlink()
    elif damage == "torn":
        files[1].write_bytes(files[1].read_bytes()[:100])
    else:
        save_file(build(dfn.fused(8, 5, 3, width=8, in_channels=1)).state_dict(), files[1])
    with pytest.raises(SnapshotError, match=r"epoch-0001\.safetensors"):
        map_stacks(design, files, _image(), ["stem"])


@pytest.mark.medium
def test_what_there_is_to_see_is_known_without_torch():
    program = "import sys, dfn.insight.maps; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


# ---- what the view is told -------------------------------------------------------------------------------------------


def _view(tmp_path, design, number=0, **more):
    place = places(design)[number]
    stacks, _ = map_stacks(design, _kept(tmp_path, design), _image(), place.names)
    return stacks, view_data(place, stacks, [0, 1], 1, **more)


def test_the_view_gets_every_map_of_a_fusion(tmp_path):
    stacks, data = _view(tmp_path, dfn.fused(8, 5, 3, width=4, in_channels=1), 1, scale="per map")
    assert (data["height"], data["width"], data["channels"]) == (4, 4, 8)
    assert (data["epochs"], data["epoch"], data["scale"]) == ([0, 1], 1, "per map")
    assert [panel["title"] for panel in data["panels"]] == [
        "deep block, 2 convs",
        "shallow block, 1 conv",
        "joined, then ReLU",
    ]
    assert [panel["role"] for panel in data["panels"]] == ["deep", "shallow", "fused"]
    assert data["operators"] == ["+", "="]
    assert data["arithmetic"] == {"terms": ["deep", "shallow"], "result": "joined", "join": "sum", "relu": True}
    sent = _decoded(data["panels"][0]["data"], (2, 8, 4, 4))
    np.testing.assert_array_equal(sent, stacks["fusion2/deep"].astype(np.float16))


def test_the_branches_of_a_concat_stand_at_their_own_channels(tmp_path):
    _, data = _view(tmp_path, dfn.fused(8, 5, 3, width=4, join="concat", in_channels=1))
    deep, shallow, joined = (_decoded(panel["data"], (2, 4, 8, 8)) for panel in data["panels"])
    assert np.isnan(deep[:, 2:]).all() and np.isnan(shallow[:, :2]).all()
    sides = np.concatenate([deep[:, :2], shallow[:, 2:]], axis=1)
    np.testing.assert_array_equal(np.maximum(sides, 0), joined)


def test_a_tap_is_one_panel_and_nets_that_never_meet_are_two(tmp_path):
    _, tap = _view(tmp_path, dfn.catalogue()["plain"].make(depth=5, fusions=3, width=4, in_channels=1))
    assert [panel["title"] for panel in tap["panels"]] == ["block 1"]
    assert tap["operators"] == [] and tap["arithmetic"] is None
    _, decision = _view(tmp_path, dfn.fused(5, 5, 0, width=4, in_channels=1))
    assert [panel["title"] for panel in decision["panels"]] == ["deep net", "shallow net"]
    assert decision["operators"] == [""] and decision["arithmetic"] is None


def test_an_identity_block_says_so(tmp_path):
    _, data = _view(tmp_path, dfn.catalogue()["resnet"].make(depth=8, width=4, in_channels=1))
    assert data["panels"][1]["title"] == "shallow block, identity"


def test_values_beyond_half_precision_are_clipped():
    stack = np.array([[[[1e6, -1e6, 0.5, np.nan]]]], dtype=np.float32)
    assert _decoded(encode(stack), (4,))[:3].tolist() == [65504.0, -65504.0, 0.5]


def test_every_map_comes_with_what_it_can_see(tmp_path):
    design = dfn.fused(8, 5, 3, width=4, in_channels=1)
    place = places(design)[1]
    stacks, _ = map_stacks(design, _kept(tmp_path, design), _image(), place.names)
    fields = {name: theoretical_fields(design, name) for name in place.names}
    data = view_data(place, stacks, [0, 1], 1, fields)
    for name, panel in zip(place.names, data["panels"], strict=True):
        assert panel["fields"]["step"] == fields[name].step == 2
        paths = {(before, behind): int(count) for before, behind, count in panel["fields"]["paths"]}
        assert paths == fields[name].paths


def test_the_image_and_the_answers_as_the_view_reads_them():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    sent = photo(pixels, "a cat")
    assert (sent["height"], sent["width"], sent["alt"]) == (2, 4, "a cat")
    assert base64.b64decode(sent["pixels"]) == bytes(range(24))
    probabilities = np.array([[0.5, 0.25, 0.25], [0.0, 0.75, 0.25]])
    said = answers(("cat", "dog", "eel"), 1, probabilities)
    assert said == {
        "followed": "dog",
        "labelled": True,
        "of_followed": [0.25, 0.75],
        "other": [0.5, 0.25],
        "called": ["cat", "dog"],
        "sure": [0.5, 0.75],
    }
    assert answers(("cat", "dog", "eel"), None, probabilities) == said | {"labelled": False}
