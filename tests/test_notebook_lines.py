"""The one-liners of `dfn.notebook` show what insight measures, for runs and for nets."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from plotly import io

import dfn
from dfn import notebook
from dfn.design.paths import exchange
from dfn.design.picture import picture
from dfn.figures.theme import PALETTES
from dfn.insight.attribution import attribute
from dfn.insight.effects import Kept
from dfn.insight.gradients import gradient_by_length
from dfn.insight.lesions import lesion
from dfn.runs.run import Run
from dfn.runs.store import Store
from dfn.runs.weights import data_of, net_after

RECORDED = Path(__file__).parents[1] / "assets" / "recorded"


@pytest.fixture(scope="module")
def run() -> Run:
    return next(run for run in Store(RECORDED).runs() if run.recipe.net == "fused")


@pytest.fixture(scope="module")
def seen(run) -> tuple[torch.Tensor, int]:
    data = data_of(run)
    return data.normalise(data.test.images[7:8]), int(data.test.labels[7])


@pytest.mark.medium
def test_maps_have_every_epoch_of_a_run_and_one_of_a_net(run, seen):
    view = notebook.maps(run, 7, fusion=2, epoch=3)
    assert (view.data["epochs"], view.data["epoch"]) == (list(run.snapshots()), 3)
    alone = notebook.maps(net_after(run, 3), seen[0][0], fusion=2)
    assert alone.data["epochs"] == [0]
    still = np.array(view.still.data[2].z, dtype=float)
    joined = net_after(run, 3).trace(seen[0])[1]["fusion2/joined"][0].numpy()
    assert np.nansum(still) == pytest.approx(joined.sum(), rel=1e-4)


@pytest.mark.medium
def test_attribution_draws_the_values(run, seen):
    figure = notebook.attribution(run, 7, "deep_lift", target=seen[1])
    found = attribute(net_after(run), seen[0], seen[1], "deep_lift")
    drawn = np.array(figure.data[1].z, float)  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_allclose(drawn, found.values[0].double().sum(0), rtol=1e-5, atol=1e-7)
    assert "completeness gap" in figure.layout.title.text


def test_flow_has_the_parts_by_length(run, seen):
    parts = {depth: part.norm().item() for depth, part in gradient_by_length(net_after(run), *seen).items()}
    bars = notebook.flow(run, 7).data["groups"][0]["bars"]
    assert {int(bar["label"]): bar["value"] for bar in bars} == pytest.approx(
        {depth: 100 * norm / sum(parts.values()) for depth, norm in parts.items()}, rel=1e-5
    )


@pytest.mark.medium
def test_lesions_have_the_loss_of_every_block(run):
    data = data_of(run)
    kept = Kept(net_after(run), data.normalise(data.test.images[:50]), data.test.labels[:50])
    deep, shallow = notebook.lesions(run, images=50).data["groups"]
    lost = kept.effect.accuracy - kept.judge(lesion(kept.net, 2, "deep")).accuracy
    assert deep["bars"][1]["label"] == "2" and deep["bars"][1]["value"] == pytest.approx(100 * lost)
    assert len(deep["bars"]) == len(shallow["bars"]) == 6


def test_what_cannot_be_shown_is_refused_in_words(run):
    with pytest.raises(ValueError, match="image: 3 is not accepted; accepted: with a net a normalised image"):
        notebook.maps(net_after(run), 3)
    with pytest.raises(ValueError, match="image: 400 is not accepted"):
        notebook.flow(run, 400)
    with pytest.raises(ValueError, match="fusion: 9"):
        notebook.maps(run, 7, fusion=9)
    with pytest.raises(ValueError, match=r"how: halve .* accepted: one of zero, mean, resample"):
        notebook.lesions(run, how="halve")


def test_a_net_keeps_a_figure_and_its_blocks_change_places_at_a_click():
    design = dfn.fused(deep=14, shallow=8, fusions=3, width=4, in_channels=1)
    view = notebook.net(design, (1, 8, 8))
    assert [bar["count"] for bar in view.data["spectrum"]] == [str(y) for y in map(int, view.still.data[-1].y)]
    view._hear(view, {"name": "exchange", "value": {"fusion": 2}}, [])
    assert view.design == exchange(design, 2)
    assert view.origins == [[0, 1], [1, 0], [0, 1]]
    assert view.data == {"palette": PALETTES, **picture(view.design, (1, 8, 8), view.origins)}
    assert "deep 12, shallow 10" in view.still.layout.title.text


@pytest.mark.parametrize("name", dfn.catalogue())
def test_every_net_of_the_catalogue_has_a_still_figure(name):
    design = dfn.catalogue()[name].make()
    counts = notebook.net(design).still.data[-1].y
    assert sum(counts) == pytest.approx(sum(dfn.path_spectrum(design).values()))


def test_the_composer_draws_the_net_that_its_numbers_make():
    composer = notebook.compose(26, 8, 3, width=4)
    composer._numbers[2].value = 6
    assert composer.design == dfn.fused(deep=26, shallow=8, fusions=6, width=4, classes=10, in_channels=1)
    assert "64 paths, 32 groups" in composer._facts.value
    assert composer.still is composer.view.still and "essential depth 17" in composer.still.layout.title.text


@pytest.mark.parametrize(
    ("answer", "computed", "within", "said"),
    [
        (None, 64, 0, 'This one waits for your answer: write it in the place of None. ("show" shows it.)'),
        ("show", 64, 0, "It is 64."),
        (64, torch.tensor(64), 0, "Right: 64."),
        (0.1 + 0.2, 0.3, 0, "Right: 0.3."),
        (0.9, np.float64(0.93), 0.05, "Right: 0.93."),
        (0.8, 0.93, 0.05, "Not yet: 0.8 is too small."),
        (65, 64, 0, "Not yet: 65 is too large."),
        (" Deep", "deep", 0, "Right: deep."),
        ("shallow", "deep", 0, "Not yet: it is not shallow."),
        ("deep", 64, 0, "'deep' is a text; a number is asked for."),
        (True, 1, 0, "True is True or False; a number is asked for."),
        ([50, 14], (50, 14), 0, "Right: [50, 14]."),
        ([50], (50, 14), 0, "Not yet: it is not [50]."),
        ({32: 20.01}, {32: 20}, 0.1, "Right: {32: 20}."),
        ({1, 2}, {2, 1}, 0, "Right: {1, 2}."),
    ],
)
def test_answers_are_checked_and_not_given_away(capsys, answer, computed, within, said):
    notebook.check(answer, computed, within)
    assert capsys.readouterr().out == said + "\n"


def test_predictions_stand_beside_measurements():
    view = notebook.reveal({"fused": 90, "plain": None}, {"fused": 94.0, "plain": 35.0}, "Test accuracy", "%")
    predicted, measured = view.data["groups"]
    assert [bar["value"] for bar in predicted["bars"]] == [90]
    assert [bar["value"] for bar in measured["bars"]] == [94, 35]
    assert view.data["subtitle"] == "your predictions are off by 4 %"
    assert notebook.reveal({}, {"fused": 94.0}, "Test accuracy").data["subtitle"] == "nothing was predicted"
    with pytest.raises(ValueError, match="predicted: deep is not accepted; accepted: one of fused"):
        notebook.reveal({"deep": 1.0}, {"fused": 94.0}, "Test accuracy")


def test_the_short_run_is_one_parameter_and_figures_are_kept(monkeypatch):
    monkeypatch.setattr(io.renderers, "default", io.renderers.default)
    monkeypatch.setenv("DFN_SHORT", "1")
    assert notebook.begin()
    monkeypatch.setenv("DFN_SHORT", "0")
    assert not notebook.begin()
    html = notebook.reveal({}, {"fused": 94.0}, "Test accuracy").still._repr_mimebundle_()["text/html"]
    assert "Plotly.newPlot" in html and not re.search(r"<script[^>]+src=", html)


@pytest.mark.slow
def test_a_race_is_followed_to_its_end_and_keeps_its_curves(tmp_path):
    design = dfn.fused(deep=5, shallow=5, fusions=3, width=4, in_channels=1)
    run = Store(tmp_path).create(dfn.Recipe(design=design, net="fused", data="digits", epochs=2))
    race = notebook.race({"fused 5 + 5": run}, play=False)
    assert not race.view.data["panels"][1]["series"][0]["x"]
    steps = [race.play(until).wait() or run.status().step for until in ("epoch", "step", "step")]
    assert steps == [steps[0], steps[0] + 1, steps[0] + 2]
    race.play().wait()
    loss, accuracy = (panel["series"][0] for panel in race.view.data["panels"])
    epochs = [record for record in run.metrics() if record["event"] == "epoch"]
    assert accuracy["y"] == [100 * epoch["test_accuracy"] for epoch in epochs] and len(epochs) == 3
    assert loss["x"] == list(range(1, run.status().step + 1)) and accuracy["role"] == "fused"
    assert list(race.still.data[0].y) == [epoch["test_accuracy"] for epoch in epochs]
    race.rewind()
    assert not race.view.data["panels"][1]["series"][0]["x"]
