"""The Flow page without a browser: its numbers are those of dfn.insight for this run, and bad links show a sentence."""

import shutil
from pathlib import Path

import cached
import flow_data
import pytest
import torch
from pages import page_at, text_of
from race import line_up
from streamlit.testing.v1 import AppTest
from widgets.flow_gradient import grown, ratio

import dfn
from dfn.data import load_data
from dfn.insight.gradients import gradient_by_length, gradient_flow
from dfn.insight.lesions import alone
from dfn.runs.store import Run, Store
from dfn.runs.worker import work
from dfn.training.evaluate import calibration_images, evaluate, recalibrate

pytestmark = pytest.mark.slow  # every case opens the whole page

SMALL = {"data": "digits", "epochs": 2, "train_limit": 128, "test_limit": 60, "seed": 3}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A fused net, its base networks alone, and two base networks that only vote."""
    root = tmp_path_factory.mktemp("flow-runs")
    design = dfn.fused(8, 5, 3, width=4, classes=10, in_channels=1)
    race = line_up(design, (8, 5), 3, 4, ("plain deep", "plain shallow", "ResNet", "decision fusion"), SMALL)
    work([Store(root).create(runner.recipe) for runner in race])
    return root


@pytest.fixture
def filled(trained, runs_dir) -> dict[str, Run]:
    shutil.copytree(trained, runs_dir, dirs_exist_ok=True)
    return {run.recipe.label: run for run in Store().runs()}


def _open(**query: str) -> AppTest:
    return page_at("flow", **query).run()


def test_first_paint_shows_the_recorded_example_and_says_so(runs_dir):
    app = _open()
    assert not app.exception and not app.error and not app.warning
    text = text_of(app)
    assert "recorded example" in text
    assert "In **fused 50 + 14** the gradient" in text and "In **plain 50** the gradient" in text
    assert "**The parts sum to autograd's gradient**" in text and "**Their norms need not add up**" in text
    assert "Batch norm is in eval mode" in text
    assert "**decision 50 + 14**" in text, "what is missing in the table is named"


def test_without_any_run_there_is_a_way_to_get_one(runs_dir, monkeypatch, tmp_path):
    monkeypatch.setattr(cached, "RECORDED", tmp_path / "nothing")
    app = _open(image="7", epoch="3")
    assert not app.exception and not app.error
    assert "no run has kept any yet" in text_of(app)


@pytest.mark.parametrize("epoch", [0, 2])
def test_the_numbers_are_those_of_insight(filled, epoch):
    run, apart = filled["fused 8 + 5"], filled["plain 8"]
    data = load_data("digits", train_limit=128, test_limit=60)
    x, y = data.normalise(data.test.images[11:12]), data.test.labels[11:12]
    text = text_of(_open(run=run.id, image="11", epoch=str(epoch)))
    for shown in (run, apart):
        flow = gradient_flow(cached.net_after(str(shown.folder), epoch), x, y)
        last = "fusion3/joined" if shown is run else "block3"
        assert grown(shown.recipe.label, [flow.places["stem"], flow.places[last]]) in text
    net = cached.net_after(str(run.folder), epoch)
    assert ratio(gradient_flow(net, x, y).fusions) in text
    parts = gradient_by_length(net, x, y)
    most = max(parts, key=lambda depth: parts[depth].norm())
    assert f"paths of **{most} layers**" in text


def test_the_parts_are_measured_against_autograd(filled):
    run = filled["fused 8 + 5"]
    images = cached.images_of(run)
    x, y = flow_data.some_images(images, range(3))
    net = cached.net_after(str(run.folder), 2)
    lengths = flow_data.measure_lengths(net, x, y)
    assert list(lengths.parts) == list(dfn.path_spectrum(run.recipe.design))
    assert lengths.residual < 1e-5
    image = x.clone().requires_grad_()
    (whole,) = torch.autograd.grad(net(image).gather(1, y[:, None]).sum(), image)
    assert lengths.whole == pytest.approx(whole.flatten(1).norm(dim=1).mean().item(), rel=1e-5)
    parts = gradient_by_length(net, x, y)
    assert lengths.parts[8] == pytest.approx(parts[8].flatten(1).norm(dim=1).mean().item(), rel=1e-5)


def test_what_a_base_network_does_alone_is_recalibrated(filled):
    run = filled["fused 8 + 5"]
    data = load_data("digits", train_limit=128, test_limit=60)
    cpu = torch.device("cpu")
    single = alone(cached.net_after(str(run.folder), 2), "deep")
    recalibrate(single, calibration_images(data, 512, cpu))
    expected = evaluate(single, data, cpu).accuracy
    whole, apart = (filled[name].metrics()[-1]["test_accuracy"] for name in ("fused 8 + 5", "plain 8"))
    text = text_of(_open(run=run.id))
    assert f"| deep, 8 layers | {100 * expected:.1f} % | {100 * apart:.1f} % |" in text
    assert f"whole | **{100 * whole:.1f} %** |" in text
    decision = filled["decision 8 + 5"].metrics()[-1]["test_accuracy"]
    assert f"| decision fusion: logits averaged | | {100 * decision:.1f} % |" in text
    assert "Not trained" not in text


def test_weight_norms_are_those_that_the_run_wrote_down(filled):
    run = filled["fused 8 + 5"]
    first = next(record for record in run.metrics() if record["event"] == "norms")
    curves = flow_data.weight_norms(run.metrics())
    assert list(curves) == ["stem", "1", "2", "3"]
    assert curves["stem"][1][0] == pytest.approx(first["gradient"]["stem"])
    parts = (first["gradient"]["fusion3/deep"], first["gradient"]["fusion3/shallow"])
    assert curves["3"][1][0] == pytest.approx(sum(part**2 for part in parts) ** 0.5)


@pytest.mark.parametrize("label", ["plain 8", "resnet 8", "decision 8 + 5"])
def test_other_nets_show_what_they_have(filled, label):
    app = _open(run=filled[label].id)
    assert not app.exception and not app.error and not app.warning
    assert f"In **{label}" in text_of(app)
    assert ("joins nothing" in text_of(app)) == (label == "plain 8")


def test_a_base_that_was_not_trained_alone_is_offered_for_training(filled):
    Store().delete(filled["plain 8"].id)
    app = _open(run=filled["fused 8 + 5"].id)
    assert not app.exception
    assert "**plain 8** has not been trained with this recipe and seed" in text_of(app)


def test_several_images_are_a_mean(filled):
    app = _open(run=filled["fused 8 + 5"].id, over="several images")
    assert not app.exception and not app.warning
    assert "the mean over the first 32 test images" in text_of(app)


def test_the_net_that_all_share_stays_as_it_was(filled):
    run = filled["fused 8 + 5"]
    net = cached.net_after(str(run.folder), 2)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    _open(run=run.id)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks or module._backward_hooks for module in net.modules())
    assert not net.training and all(p.grad is None for p in net.parameters())


HOSTILE = ["-1", "999999", "../../etc/passwd", "<b>" * 2000]


KEYS = ["run", "image", "epoch", "over"]
ONE_BY_ONE = [((key,), HOSTILE[number % len(HOSTILE)]) for number, key in enumerate(KEYS)]


@pytest.mark.parametrize(("keys", "value"), [*ONE_BY_ONE, *((KEYS, value) for value in HOSTILE)])
def test_a_bad_link_shows_sentences_and_something_else(filled, keys, value):
    app = _open(**dict.fromkeys(keys, value))
    assert not app.exception and not app.error
    assert "The parts sum to autograd" in text_of(app)
    assert len(app.warning) == len(keys) and all("link names" in warning.value for warning in app.warning)
    assert value not in "".join(warning.value for warning in app.warning)
    assert not app.run().warning, "said once"


def test_a_damaged_snapshot_is_a_sentence(filled):
    run = filled["fused 8 + 5"]
    run.snapshot_file(2).write_bytes(b"\0" * 50)
    app = _open(run=run.id)
    assert not app.exception
    assert "epoch-0002.safetensors" in app.error[0].value
