"""The Lesions page without a browser: its numbers are those of dfn.insight, the paths that it leaves are counted right,
and bad links show a sentence."""

import shutil
from itertools import pairwise, product
from pathlib import Path

import cached
import pytest
import torch
from lesion_data import lesioned, outcome, reference
from lesion_plan import Lesion, drawn, options, paths_left, plain_block, read_names, read_swap, write_names, write_swap
from pages import cards_of, page_at, text_of
from race import line_up
from streamlit.testing.v1 import AppTest
from widgets.lesion_controls import CHANGES

import dfn
from dfn.design.catalogue import catalogue, plain
from dfn.design.picture import picture
from dfn.insight.effects import importance, random_lesions
from dfn.insight.gradients import gradient_by_length
from dfn.insight.lesions import bypass, cut_feedback, dial, lesion, swap_blocks
from dfn.models.build import build
from dfn.runs.store import Run, Store
from dfn.runs.worker import work

pytestmark = pytest.mark.slow  # every case opens the whole page

SMALL = {"data": "digits", "epochs": 2, "train_limit": 256, "test_limit": 60, "seed": 3}
SHAPE = {"width": 4, "classes": 10, "in_channels": 1}
X = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("lesion-runs")
    design = dfn.fused(8, 5, 3, **SHAPE)
    rivals = ("plain deep", "ResNet", "late fusion", "decision fusion")
    work([Store(root).create(runner.recipe) for runner in line_up(design, (8, 5), 3, 4, rivals, SMALL)])
    return root


@pytest.fixture
def filled(trained, runs_dir) -> dict[str, Run]:
    shutil.copytree(trained, runs_dir, dirs_exist_ok=True)
    return {run.recipe.label: run for run in Store().runs()}


def _open(**query: str) -> AppTest:
    return page_at("lesions", **query).run()


def _kept(run: Run, epoch: int = 2):
    return cached.kept(str(run.folder), epoch, 60)


def test_first_paint_shows_the_recorded_example_and_says_so(runs_dir):
    app = _open()
    assert not app.exception and not app.error and not app.warning
    assert "recorded example" in text_of(app) and "The net is whole" in text_of(app)
    assert cards_of(app)["paths left"] == "64 of 64"


def test_without_any_run_there_is_a_way_to_get_one(runs_dir, monkeypatch, tmp_path):
    monkeypatch.setattr(cached, "RECORDED", tmp_path / "nothing")
    app = _open(cut="fusion1/deep", how="mean")
    assert not app.exception and not app.error
    assert "no run has kept any yet" in text_of(app)


@pytest.mark.parametrize(
    ("query", "made"),
    [
        ({"cut": "fusion2/deep"}, lambda net, x: lesion(net, 2, "deep")),
        ({"cut": "shallow"}, lambda net, x: lesion(net, None, "shallow")),
        ({"cut": "fusion1/shallow", "how": "mean"}, lambda net, x: lesion(net, 1, "shallow", "mean", reference=x)),
        ({"cut": "fusion3/deep", "how": "resample"}, lambda net, x: lesion(net, 3, "deep", "resample", reference=x)),
        ({"dial": "0.5"}, lambda net, x: dial(net, 0.5, "shallow")),
        ({"dial": "0.25@2"}, lambda net, x: dial(net, 0.25, "shallow", 2)),
        ({"edge": "fusion1/deep"}, lambda net, x: cut_feedback(net, 1, "deep")),
    ],
)
def test_the_numbers_are_those_of_insight(filled, query, made):
    run = filled["fused 8 + 5"]
    kept = _kept(run)
    effect = kept.judge(made(kept.net, reference(kept, cached.images_of(run))))
    app = _open(run=run.id, **query)
    assert not app.exception and not app.error and not app.warning
    before, after = (f"{100 * value:.1f} %" for value in (kept.effect.accuracy, effect.accuracy))
    assert cards_of(app)["test accuracy"] == (before if before == after else f"{before} → {after}")
    assert cards_of(app)["called as before"] == f"{100 * effect.same:.1f} %"
    assert all(app.query_params[key] == value for key, value in query.items())


def test_everything_at_once_is_everything_at_once(filled):
    run = filled["fused 8 + 5"]
    kept, images = _kept(run), cached.images_of(run)
    plan = Lesion(("fusion1/deep", "fusion3/shallow"), "mean", ("fusion1/shallow",), 0.5, 2)
    found = lesioned(kept.net, plan, reference(kept, images))
    x = images.normalise(images.test.images)
    by_hand = cut_feedback(kept.net, 1, "shallow")
    by_hand = lesion(by_hand, 3, "shallow", "mean", reference=x)
    by_hand = dial(lesion(by_hand, 1, "deep", "mean", reference=x), 0.5, "shallow", 2)
    torch.testing.assert_close(found(x), by_hand(x))
    result = outcome(kept, plan, images)
    assert result.after == kept.judge(by_hand).accuracy
    assert len(result.flips) == round((1 - result.same) * 60)
    assert all(flip.before != flip.after for flip in result.flips)


def test_a_plain_net_is_bypassed(filled):
    run = filled["plain 8"]
    kept = _kept(run)
    after = kept.judge(bypass(kept.net, 2)).accuracy
    app = _open(run=run.id, cut="block2", dial="0.5", how="zero")
    assert not app.exception and not app.error
    assert f"{100 * after:.1f} %" in cards_of(app)["test accuracy"]
    assert cards_of(app)["paths left"] == "1 of 1" and "of 6 layers" in text_of(app)
    assert len(app.warning) == 1, "a plain net has no dial"


def test_a_guess_comes_before_the_strip(filled):
    run = filled["fused 8 + 5"]
    app = _open(run=run.id)
    assert "hurts most (" not in text_of(app)
    kept = _kept(run)
    effects = importance(kept)
    number, lane = min(effects, key=lambda block: effects[block].accuracy)
    loss = 100 * (kept.effect.accuracy - effects[number, lane].accuracy)
    guess = next(group for group in app.button_group if group.key and group.key.startswith("lesion-guess"))
    guess.set_value(f"fusion{number}/{lane}").run()
    assert not app.exception
    assert f"You said {lane} {number}, and so it is. **{lane} {number}** hurts most ({loss:.1f} points)" in text_of(app)


def test_more_is_measured_on_demand(filled):
    run = filled["fused 8 + 5"]
    app = _open(run=run.id)
    more = next(group for group in app.button_group if group.key == "lesion-more")
    more.set_value(["the whole dial", "random lesions", "beside other nets"]).run()
    assert not app.exception and not app.error
    text = text_of(app)
    assert "median loss for one block" in text and "Not trained" not in text
    assert all(f"**{label}**" in text for label in ("fused 8 + 5", "plain 8", "ResNet 8", "late 8 + 5"))
    kept, folder = _kept(run), str(run.folder)
    gains = cached.lesion_gains(folder, 2, 60, ("deep", "shallow"), None)
    assert gains["shallow"][5] == kept.judge(dial(kept.net, 0.5)).accuracy and gains["deep"][10] == kept.effect.accuracy
    assert cached.lesion_draws(folder, 2, 60, "zero", 2) == [e.accuracy for e in random_lesions(kept, 2)]


@pytest.mark.parametrize("label", ["resnet 8", "late 8 + 5", "decision 8 + 5"])
def test_other_nets_can_be_cut(filled, label):
    app = _open(run=filled[label].id, cut="fusion1/deep", how="resample")
    assert not app.exception and not app.error and not app.warning
    assert "deep 1 cut" in text_of(app)


def test_a_net_that_is_no_chain_says_so(runs_dir, filled):
    for entry in catalogue().values():
        design = entry.make()
        found = options(design, (design.in_channels, 32, 32))
        assert paths_left(design, Lesion()) in (None, dfn.path_spectrum(design))
        assert len(found.blocks) == len(set(found.blocks))


def test_the_net_that_all_share_stays_as_it_was(filled):
    run = filled["fused 8 + 5"]
    net = cached.net_after(str(run.folder), 2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    _open(run=run.id, cut="deep", edge="fusion1/deep", dial="0.3")
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert list(net.state_dict()) == list(before) and not net.training


def _by_walking(depths, outside, plan: Lesion) -> dict[int, int]:
    """Every path by itself: a lane at every fusion; where a way back is cut, one must have been in that lane."""
    found: dict[int, int] = {}
    lanes = ("deep", "shallow")
    for way in product(lanes, repeat=len(depths)):
        steps = list(enumerate(way, start=1))
        cut = any(f"fusion{number}/{lane}" in plan.cut for number, lane in steps)
        unfed = any(
            f"fusion{number}/{after}" in plan.edges and before != after
            for (number, before), (_, after) in pairwise(steps)
        )
        if not cut and not unfed:
            depth = outside + sum(row[lanes.index(lane)] for row, lane in zip(depths, way, strict=True))
            found[depth] = found.get(depth, 0) + 1
    return dict(sorted(found.items(), reverse=True))


@pytest.mark.parametrize(
    "plan",
    [
        Lesion(("fusion2/deep",)),
        Lesion(("fusion1/deep", "fusion1/shallow")),
        Lesion((), edges=("fusion1/deep",)),
        Lesion(("fusion3/shallow",), edges=("fusion1/deep", "fusion2/deep", "fusion3/shallow")),
        Lesion((), edges=tuple(f"fusion{n}/{lane}" for n in (1, 2, 3) for lane in ("deep", "shallow"))),
    ],
)
def test_the_paths_that_are_left_are_those_of_the_cut_net(plan: Lesion):
    design = dfn.fused(12, 6, 4, **SHAPE)
    chain = dfn.design.paths.chain(design)
    left = paths_left(design, plan)
    assert left == _by_walking(chain.blocks, chain.outside, plan)
    parts = gradient_by_length(lesioned(build(design).eval(), plan, X), X, 3)
    assert {depth for depth, part in parts.items() if part.any()} == set(left or {})


def test_a_dial_at_nothing_and_an_exchange_change_the_paths():
    design = dfn.fused(9, 5, 6, **SHAPE)
    assert paths_left(design, Lesion(dial=0.0)) == {9: 1}
    assert paths_left(design, Lesion(dial=0.0, dial_at=1)) == paths_left(design, Lesion(("fusion1/shallow",)))
    assert paths_left(design, Lesion(dial=0.1)) == dfn.path_spectrum(design)
    pair = next(pair for pair in options(design, (1, 8, 8)).swaps if pair == ("deep", 1, 2))
    swapped = Lesion(cut=("fusion1/deep",), swap=pair)
    net = swap_blocks(build(design), *pair)
    changed = lesion(net, 1, "deep")
    parts = gradient_by_length(changed.eval(), X, 3)
    assert {depth for depth, part in parts.items() if part.any()} == set(paths_left(design, swapped) or {})


def test_every_offered_exchange_can_be_made():
    design = dfn.fused(14, 8, 6, **SHAPE)
    net = build(design)
    offered = options(design, (1, 8, 8)).swaps
    assert offered
    for pair in offered:
        swap_blocks(net, *pair)
        assert read_swap(write_swap(pair), offered) == pair


def test_cut_blocks_leave_the_drawing():
    design = dfn.fused(8, 5, 3, **SHAPE)
    whole = picture(design, (1, 8, 8))
    plan = Lesion(("fusion2/deep",))
    shown = drawn(whole, plan, paths_left(design, plan))
    ids = [branch["id"] for e in shown["elements"] if e["kind"] == "fusion" for branch in e["branches"]]
    assert "fusion2/deep" not in ids and len(ids) == 5
    assert sum(int(entry["count"]) for entry in shown["spectrum"]) == 4
    nothing = Lesion(("fusion2/deep", "fusion2/shallow"))
    assert len(drawn(whole, nothing, {})["elements"][3]["branches"]) == 2
    chain = plain(8, 3, **SHAPE)
    whole = picture(chain, (1, 8, 8))
    clicked = [plain_block(whole, e["id"]) for e in whole["elements"]]
    assert clicked == [None, None, "block1", "block1", "block2", "block2", "block3", "block3", None]
    plan = Lesion(("block2",))
    shown = drawn(whole, plan, paths_left(chain, plan))
    assert [e["id"] for e in shown["elements"]] == ["input", "stem", "conv2", "block1", "conv6", "block3", "logits"]


def test_a_whole_lane_is_one_word_of_the_address():
    found = options(dfn.fused(50, 2, 24, **SHAPE), (1, 8, 8))
    every = write_names(found.blocks, found.lanes)
    assert every == "deep,shallow"
    assert read_names(every, found.lanes, found.blocks) == (found.blocks, True)
    some = ("fusion1/shallow", *found.lanes["deep"])
    assert set(read_names(write_names(some, found.lanes), found.lanes, found.blocks)[0]) == set(some)


HOSTILE = ["-1", "999999", "../../etc/passwd", "<b>" * 2000, "fusion9/deep", "0.5@9", "deep.1.99"]


KEYS = ["run", "image", "epoch", "cut", "how", "dial", "edge", "swap"]
ONE_BY_ONE = [((key,), HOSTILE[number % len(HOSTILE)]) for number, key in enumerate(KEYS)]


@pytest.mark.parametrize(("keys", "value"), [*ONE_BY_ONE, *((KEYS, value) for value in HOSTILE)])
def test_a_bad_link_shows_sentences_and_something_else(filled, keys, value):
    app = _open(**dict.fromkeys(keys, value))
    assert not app.exception and not app.error
    assert cards_of(app)
    kinds = {"what is done" if key in CHANGES else key for key in keys}
    assert len(app.warning) == len(kinds) and all("link names" in warning.value for warning in app.warning)
    assert value not in "".join(warning.value for warning in app.warning)
    assert not app.run().warning, "said once"


def test_a_damaged_snapshot_is_a_sentence(filled):
    run = filled["fused 8 + 5"]
    run.snapshot_file(2).write_bytes(b"\0" * 50)
    app = _open(run=run.id)
    assert not app.exception
    assert "epoch-0002.safetensors" in app.error[0].value


def test_the_maps_of_the_cut_net_stand_beside_those_of_the_whole_one(filled):
    run = filled["fused 8 + 5"]
    kept, images = _kept(run), cached.images_of(run)
    app = _open(run=run.id, cut="fusion2/deep", fusion="3", image="4")
    assert not app.exception and not app.error
    x = images.normalise(images.test.images[4:5])
    before, after = (net.trace(x)[1]["fusion3/joined"] for net in (kept.net, lesion(kept.net, 2, "deep")))
    change = ((after - before).abs().sum() / before.abs().sum()).item()
    assert f"the change sums to {change:.0%} of the map" in text_of(app)
    assert "What it does to the maps" not in text_of(_open(run=run.id))
    early = _open(run=run.id, cut="fusion2/deep", fusion="1", image="4")
    assert "the change sums to 0% of the map" in text_of(early)
