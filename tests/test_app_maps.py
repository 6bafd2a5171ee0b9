"""The Maps page without a browser: its numbers are those of the run, and bad links show a sentence."""

import shutil
from pathlib import Path

import cached
import numpy as np
import pytest
from pages import cards_of, page_at, text_of
from picked import numbered_image
from race import line_up
from safetensors.torch import load_file, save_file
from streamlit.testing.v1 import AppTest
from widgets import map_pins

import dfn
from dfn.data import load_data
from dfn.insight.fields import effective_field
from dfn.insight.maps import cosine, map_stacks, opposite_signs, shares
from dfn.insight.similarity import alignment
from dfn.models.build import build
from dfn.runs.store import Run, Store
from dfn.runs.worker import work
from dfn.training.recipe import Recipe

pytestmark = pytest.mark.slow  # every case opens the whole page

SMALL = {"data": "digits", "epochs": 2, "train_limit": 128, "test_limit": 60, "seed": 3}
SHAPE = {"width": 4, "classes": 10, "in_channels": 1}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A fused net, the two base networks alone, and two base networks that only vote, each trained for two epochs."""
    root = tmp_path_factory.mktemp("maps-runs")
    design = dfn.fused(8, 5, 3, **SHAPE)
    race = line_up(design, (8, 5), 3, 4, ("plain deep", "plain shallow", "decision fusion"), SMALL)
    work([Store(root).create(runner.recipe) for runner in race])
    return root


@pytest.fixture
def filled(trained, runs_dir) -> dict[str, Run]:
    """Those runs as this test's own, by label."""
    shutil.copytree(trained, runs_dir, dirs_exist_ok=True)
    return {run.recipe.label: run for run in Store().runs()}


@pytest.fixture
def nothing_recorded(monkeypatch, tmp_path):
    monkeypatch.setattr(cached, "RECORDED", tmp_path / "nothing")


def _open(**query: str) -> AppTest:
    return page_at("maps", **query).run()


def _press(app: AppTest, words: str) -> AppTest:
    return next(button for button in app.button if button.label == words).click().run()


def test_first_paint_shows_the_recorded_example_and_says_so(runs_dir):
    app = _open()
    assert not app.exception and not app.error and not app.warning
    assert "recorded example" in text_of(app)
    assert "fused 50 + 14" in app.selectbox(key="run-choice").format_func(app.selectbox(key="run-choice").value)
    apart = {f"alignment of {pair}" for pair in ("fused 50 + 14 and plain 14", "fused 50 + 14 and plain 50")}
    apart |= {"alignment of plain 14 and plain 50"}
    assert set(cards_of(app)) == {"share of the deep block", "cosine of deep and shallow", "opposite signs"} | apart


def test_without_any_run_there_is_a_way_to_get_one(runs_dir, nothing_recorded):
    app = _open(run="0123456789ab", image="7")
    assert not app.exception and not app.error
    assert "no run has kept any yet" in text_of(app)
    assert app.page_link[0].value.startswith("Train")


@pytest.mark.parametrize(("fusion", "epoch"), [(1, 0), (2, 1), (3, 2)])
def test_the_numbers_are_those_of_this_run_image_fusion_and_epoch(filled, fusion, epoch):
    run = filled["fused 8 + 5"]
    data = load_data("digits", train_limit=128, test_limit=60)
    names = [f"fusion{fusion}/deep", f"fusion{fusion}/shallow"]
    image = data.normalise(data.test.images[11:12])[0]
    stacks, probabilities = map_stacks(run.recipe.design, {epoch: run.snapshots()[epoch]}, image, names)
    deep, shallow = (stacks[name][0] for name in names)
    app = _open(run=run.id, image="11", fusion=str(fusion), epoch=str(epoch))
    assert not app.exception and not app.warning
    cards = cards_of(app)
    assert cards["share of the deep block"] == f"{100 * shares([deep, shallow])[0]:.1f} %"
    assert cards["cosine of deep and shallow"] == f"{cosine(deep, shallow):.2f}".replace("-", "−")
    assert cards["opposite signs"] == f"{100 * opposite_signs(deep, shallow):.1f} %"
    text = text_of(app)
    assert f"A test image of **{data.classes[int(data.test.labels[11])]}**. After epoch {epoch}" in text
    assert f"**{100 * probabilities[0].max():.1f} %**" in text
    missing = [link.label for link in app.page_link if "plain" in link.label]
    assert not missing, "both bases alone are trained"


def test_the_alignment_is_that_of_the_runs_at_the_common_epoch(filled):
    run, alone = filled["fused 8 + 5"], filled["plain 8"]
    data = load_data("digits", train_limit=128, test_limit=60)
    one, other = (_net_after(r, 1) for r in (run, alone))
    found = alignment(one, other, data.normalise(data.test.images), "fusion2/joined", "block2")
    app = _open(run=run.id, fusion="2", epoch="1")
    assert cards_of(app)["alignment of fused 8 + 5 and plain 8"] == f"{found.value:.2f}"
    assert f"over {found.images} test images" in text_of(app)
    Store().delete(filled["plain 5"].id)
    assert len([name for name in cards_of(app.run()) if name.startswith("alignment")]) == 1


def test_the_effective_field_is_that_of_the_pinned_value(filled):
    run = filled["fused 8 + 5"]
    data = load_data("digits", train_limit=128, test_limit=60)
    image = data.normalise(data.test.images[11:12])
    app = _open(run=run.id, image="11", fusion="2", at="3.1.2")
    assert "The pinned value: **channel 3, row 1, column 2**" in text_of(app)
    spot = {"channel": 3, "row": 1, "col": 2}
    found = cached.effective(str(run.folder), 2, numbered_image(data, 11), 2, ("fusion2/deep",), spot)["fusion2/deep"]
    expected = effective_field(_net_after(run, 2), image, "fusion2/deep", 1, 2, 3)
    np.testing.assert_allclose(found.values, expected.numpy(), rtol=1e-5)
    assert f"Half of it lies within {found.half} × {found.half} pixels." in text_of(app)
    assert "No value is pinned" in text_of(_open(run=run.id, image="11", fusion="2"))


def test_pins_of_a_link_reach_the_view_and_others_are_left_out(filled):
    run = filled["fused 8 + 5"]
    app = _open(run=run.id, a="0", b="77", compare="1", at="1.2.3", at2="x")
    assert not app.exception and not app.error
    pins = app.session_state[f"maps-{run.id}-start"]["pins"]
    assert pins == {"places": [{"channel": 1, "row": 2, "col": 3}], "a": 0, "b": None, "compare": True}


@pytest.mark.parametrize(
    "pins", [None, 3, [], {"places": 5}, {"places": [{"channel": -1}, "x", {"channel": 1e9}], "a": "<b>", "b": []}]
)
def test_forged_pins_are_no_pins(monkeypatch, pins):
    written, state = {}, {"view": {"pin": pins, "epoch": [], "fusion": "x"}}
    monkeypatch.setattr(map_pins.link, "write", written.__setitem__)
    monkeypatch.setattr(map_pins.st, "session_state", state)
    map_pins.take("view", [0, 1, 2], 3)
    assert not any(written.values()) and "fusion" not in state


def test_what_was_pinned_in_the_view_goes_into_the_address(monkeypatch):
    spots = [{"channel": 1, "row": 2, "col": 3}, {"channel": 4, "row": 0, "col": 0}]
    event = {"pin": {"places": spots, "a": 0, "b": 2, "compare": True}, "epoch": 1, "fusion": 2}
    written, state = {}, {"view": event}
    monkeypatch.setattr(map_pins.link, "write", written.__setitem__)
    monkeypatch.setattr(map_pins.st, "session_state", state)
    map_pins.take("view", [0, 1, 2], 3)
    assert written == {"epoch": "1", "at": "1.2.3", "at2": "4.0.0", "a": "0", "b": "2", "compare": "1"}
    assert state["fusion"] == 2


def _net_after(run: Run, epoch: int):
    net = build(run.recipe.design)
    net.load_state_dict(load_file(run.snapshot_file(epoch)))
    return net.eval()


def test_the_newest_fused_run_is_shown_by_default(filled):
    app = _open()
    assert app.selectbox(key="run-choice").value == filled["fused 8 + 5"].id
    assert app.query_params["run"] == filled["fused 8 + 5"].id


def test_a_base_that_was_not_trained_alone_is_offered_for_training(filled):
    Store().delete(filled["plain 5"].id)
    app = _open(run=filled["fused 8 + 5"].id)
    assert not app.exception
    assert "**plain 5** has not been trained with this recipe and seed" in text_of(app)
    Store().delete(filled["plain 8"].id)
    assert "**plain 8 and plain 5** have not been trained" in text_of(app.run())


def test_other_nets_show_the_maps_that_they_have(filled):
    plain = _open(run=filled["plain 8"].id, fusion="2")
    assert not plain.exception and not plain.error
    assert list(cards_of(plain)) == ["silent positions"] and "joins nothing" in text_of(plain)
    decision = _open(run=filled["decision 8 + 5"].id)
    assert not decision.exception and not decision.error
    assert "logits, which are no maps" in text_of(decision)
    assert "share of the deep block" in cards_of(decision)


@pytest.mark.parametrize("join", ["mean", "max", "concat", "gate"])
def test_every_join_has_its_maps(runs_dir, join):
    design = dfn.fused(5, 4, 3, join=join, **SHAPE)
    run = _kept(Recipe(design=design, **SMALL))
    app = _open(run=run.id, fusion="2")
    assert not app.exception and not app.error
    assert "share of the deep block" in cards_of(app)


def test_more_than_two_base_networks(runs_dir):
    run = _kept(Recipe(design=dfn.fused(bases=[8, 6, 5], fusions=3, **SHAPE), **SMALL))
    app = _open(run=run.id)
    assert not app.exception and not app.error
    assert set(cards_of(app)) == {"share of the base1 block", "cosine of base1 and base3", "opposite signs"}


def _kept(recipe: Recipe) -> Run:
    """A run with weights that were never trained, as far as this page can tell."""
    run = Store().create(recipe)
    run.snapshot_file(0).parent.mkdir()
    save_file(build(recipe.design).state_dict(), run.snapshot_file(0))
    return run


def test_another_run_begins_at_its_own_last_epoch(filled):
    app = _open(run=filled["fused 8 + 5"].id, epoch="1", at="1.2.3")
    app.selectbox(key="run-choice").set_value(filled["plain 8"].id).run()
    assert "After epoch 2 " in text_of(app) and not app.warning
    assert "epoch" not in app.query_params and "at" not in app.query_params
    app.query_params["run"], app.query_params["epoch"] = filled["fused 8 + 5"].id, "0"
    assert "After epoch 0 " in text_of(app.run())


HOSTILE = ["", "-1", "999999", "../../etc/passwd", "<b>" * 2000]


KEYS = ["run", "image", "fusion", "epoch"]
ONE_BY_ONE = [((key,), HOSTILE[1 + number % 4]) for number, key in enumerate(KEYS)]


@pytest.mark.parametrize(("keys", "value"), [*ONE_BY_ONE, *((KEYS, value) for value in [*HOSTILE, "ffffffffffff"])])
def test_a_bad_link_shows_sentences_and_something_else(filled, keys, value):
    app = _open(**dict.fromkeys(keys, value))
    assert not app.exception and not app.error
    assert cards_of(app)
    assert sum("link names" in warning.value for warning in app.warning) == (len(keys) if value else 0)
    assert value not in "".join(w.value for w in app.warning) or not value
    assert not app.run().warning, "said once"


@pytest.mark.parametrize("at", ["9999.0.0", "1.2.3.4", "-1.0.0", "<b>" * 2000])
def test_a_position_that_is_none_is_ignored(filled, at):
    app = _open(at=at, scale=at)
    assert not app.exception and not app.error and cards_of(app)


@pytest.mark.parametrize("scale", ["shared", "per map", "whole net"])
def test_every_scale_is_explained(filled, scale):
    app = _open(scale=scale)
    assert not app.exception
    assert any("scale" in caption.value for caption in app.sidebar.caption)


def test_images_are_stepped_through_within_a_class(filled):
    labels = load_data("digits", train_limit=128, test_limit=60).test.labels.tolist()
    sevens = [index for index, label in enumerate(labels) if label == 7]
    app = _open(run=filled["fused 8 + 5"].id)
    app.selectbox(key="image-class").select("7").run()
    for expected in [i for i in sevens if i > 0][:2]:
        assert _press(app, "Next").number_input(key="image").value == expected
    app.number_input(key="image").set_value(sevens[-1]).run()
    assert _press(app, "Next").number_input(key="image").value == sevens[0]
    assert _press(app, "Previous").number_input(key="image").value == sevens[-1]
    assert not app.exception


def test_next_wrong_finds_an_image_that_the_net_gets_wrong_at_this_epoch(filled):
    run = filled["fused 8 + 5"]
    app = _open(run=run.id, epoch="1", image="3")
    _press(app, "Next wrong")
    assert not app.exception
    assert app.number_input(key="image").value > 3
    assert "which is wrong" in text_of(app) and "After epoch 1 " in text_of(app)


def test_a_damaged_snapshot_and_missing_images_are_sentences(filled):
    run = filled["fused 8 + 5"]
    run.snapshot_file(1).write_bytes(b"\0" * 50)
    app = _open(run=run.id)
    assert not app.exception
    assert "epoch-0001.safetensors" in app.error[0].value
    elsewhere = _kept(Recipe(design=dfn.fused(5, 4, 3, width=4), data="folder:/nowhere/at all"))
    app = _open(run=elsewhere.id)
    assert not app.exception
    assert "cannot be shown" in app.error[0].value
