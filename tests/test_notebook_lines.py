"""The one-liners of `dfn.notebook` show what insight measures, for runs and for nets."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dfn import notebook
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


def test_maps_have_every_epoch_of_a_run_and_one_of_a_net(run, seen):
    view = notebook.maps(run, 7, fusion=2, epoch=3)
    assert (view.data["epochs"], view.data["epoch"]) == (list(run.snapshots()), 3)
    alone = notebook.maps(net_after(run, 3), seen[0][0], fusion=2)
    assert alone.data["epochs"] == [0]
    still = np.array(view._still.data[2].z, dtype=float)
    joined = net_after(run, 3).trace(seen[0])[1]["fusion2/joined"][0].numpy()
    assert np.nansum(still) == pytest.approx(joined.sum(), rel=1e-4)


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
