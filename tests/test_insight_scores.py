"""Scores are right where the right picture is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from dfn.data.scales import draw
from dfn.design.catalogue import fused
from dfn.design.nodes import Conv, Head, Series
from dfn.design.spec import Design
from dfn.insight.attribution import attribute
from dfn.insight.methods import METHODS, Unit
from dfn.insight.scores import (
    hit_rates,
    infidelity,
    pixel_curve,
    pointing,
    randomisation,
    rank_correlation,
    sensitivity,
)
from dfn.models.build import FusedNet, build

X = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(1))
TARGET = torch.tensor([1, 0, 3, 2])
SMALL = fused(8, 5, 3, 4, classes=4, in_channels=2)


def settled() -> FusedNet:
    net = build(SMALL).train()
    with torch.no_grad():
        for _ in range(20):
            net(X)
    return net.eval()


def linear() -> FusedNet:
    stem = Conv(channels=3, kernel=1, projection=True)
    return build(Design(body=Series(nodes=(stem, Head())), in_channels=2, classes=4, norm="none"))


@pytest.mark.parametrize("method", ["input_x_gradient", "integrated_gradients", "deep_lift"])
def test_amounts_of_a_linear_net_are_faithful(method: str):
    net = linear()
    right = attribute(net, X, TARGET, method)
    wrong = attribute(net, X, (TARGET + 1) % 4, method)
    mixed = replace(right, values=wrong.values)
    assert infidelity(net, X, right).max() < 1e-9
    assert (infidelity(net, X, mixed) > 1e-6).all()


def test_slopes_of_a_linear_net_are_faithful():
    net = linear()
    found = infidelity(net, X, attribute(net, X, TARGET, "smoothgrad"))
    assert found.shape == (4,) and found.max() < 1e-9


def test_infidelity_wants_what_it_can_judge():
    net = settled()
    for values in (attribute(net, X, TARGET, "guided_backprop"), attribute(net, X, TARGET, "saliency", "stem")):
        with pytest.raises(ValueError, match=r"attribution: .* accepted: amounts or slopes of an image"):
            infidelity(net, X, values)
    with pytest.raises(ValueError, match="amounts or slopes"):
        infidelity(net, X, attribute(net, X, Unit("stem", 0, 0, 0), "saliency"))
    with pytest.raises(ValueError, match="share: 0"):
        infidelity(net, X, attribute(net, X, TARGET, "saliency"), share=0)


def test_a_linear_nets_slope_does_not_move():
    assert sensitivity(linear(), X, TARGET, "saliency", samples=3).max() < 1e-6
    moved = sensitivity(settled(), X, TARGET, "input_x_gradient", samples=3, radius=0.2)
    assert moved.shape == (4,) and (moved > 0).all()
    torch.testing.assert_close(moved, sensitivity(settled(), X, TARGET, "input_x_gradient", samples=3, radius=0.2))


def naive_deletion(net: FusedNet, values: Tensor, steps: int) -> Tensor:
    rows = []
    for x, value, target in zip(X, values, TARGET, strict=True):
        order = value.sum(0).flatten().sort(descending=True).indices
        row = []
        for step in range(steps + 1):
            left = x.clone()
            for pixel in order[: round(step / steps * 64)]:
                left[:, pixel // 8, pixel % 8] = 0
            row.append(net(left[None]).softmax(1)[0, target])
        rows.append(torch.stack(row))
    return torch.stack(rows).detach()


def test_deletion_is_one_pixel_after_another():
    net = settled()
    values = attribute(net, X, TARGET, "input_x_gradient").values
    found = pixel_curve(net, X, TARGET, values, steps=8)
    expected = naive_deletion(net, values, 8)
    torch.testing.assert_close(found.probability, expected)
    torch.testing.assert_close(found.area, ((expected[:, 1:] + expected[:, :-1]) / 16).sum(1))


@pytest.mark.medium
def test_insertion_ends_where_deletion_begins():
    net = settled()
    values = attribute(net, X, TARGET, "input_x_gradient").values
    out, into = (pixel_curve(net, X, TARGET, values, order) for order in ("deletion", "insertion"))
    torch.testing.assert_close(out.probability[:, 0], into.probability[:, -1])
    torch.testing.assert_close(out.probability[:, -1], into.probability[:, 0])
    reverse = pixel_curve(net, X, TARGET, -values, "insertion")
    torch.testing.assert_close(reverse.probability.flip(1), out.probability)
    with pytest.raises(ValueError, match="order: both is not accepted; accepted: deletion or insertion"):
        pixel_curve(net, X, TARGET, values, "both")  # pyright: ignore
    with pytest.raises(ValueError, match="values"):
        pixel_curve(net, X, TARGET, values[:, :1])


def test_pointing_is_judged_by_the_mask():
    split = draw(18, np.random.default_rng(0))
    assert split.masks is not None
    inside = pointing(split.masks[:, None].float(), split.masks)
    outside = pointing(-split.masks[:, None].float(), split.masks)
    assert inside.rate == 1 and outside.rate == 0
    assert inside.chance == pytest.approx(split.masks.float().mean().item()) and 0.05 < inside.chance < 0.4
    noise = torch.rand(2000, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    blind = pointing(noise, split.masks[:1].expand(2000, -1, -1))
    assert blind.rate == pytest.approx(blind.chance, abs=0.05)
    small = pointing(torch.nn.functional.avg_pool2d(split.masks[:, None].float(), 4), split.masks)
    assert small.hits.shape == (18,) and small.rate == 1
    with pytest.raises(ValueError, match="masks"):
        pointing(noise, split.masks)


def test_ranks_are_compared_not_values():
    a = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    assert rank_correlation(a, a.exp()) == pytest.approx(1) and rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, torch.ones(1, 4)) == 0
    ties = torch.tensor([[1.0, 1.0, 2.0, 2.0]])
    assert rank_correlation(a, ties) == pytest.approx(0.8944, abs=1e-4)  # 2 / sqrt(5)


@pytest.mark.medium
def test_pictures_fall_apart_with_the_weights():
    net = settled()
    found = randomisation(net, X, TARGET, "saliency")
    assert list(found) == list(reversed(net.parameter_groups())) and max(found.values()) < 0.9
    assert found == randomisation(net, X, TARGET, "saliency")
    told: list[tuple[int, int]] = []
    few = randomisation(net, X, TARGET, "saliency", on_progress=lambda *done: bool(told.append(done)) or len(told) < 2)
    assert list(few.items()) == list(found.items())[:2] and told == [(1, 8), (2, 8)]


def test_amounts_and_slopes_are_told_apart():
    assert {name for name, method in METHODS.items() if method.completeness} <= {
        name for name, method in METHODS.items() if method.values == "amount"
    }


@pytest.mark.medium
def test_hit_rates_are_the_pointing_game_of_each_method():
    net, masks = settled(), torch.zeros(4, 8, 8, dtype=torch.bool)
    masks[:, :4] = True
    told: list[int] = []
    methods = ["saliency", "integrated_gradients"]
    found = hit_rates(net, X, TARGET, masks, methods, on_progress=lambda done, expected: told.append(done))
    assert list(found) == methods and told == list(range(1, 9))
    by_hand = pointing(attribute(net, X, TARGET, "saliency").values, masks)
    assert torch.equal(found["saliency"].hits, by_hand.hits) and found["saliency"].chance == 0.5
    assert not hit_rates(net, X, TARGET, masks, methods, on_progress=lambda done, expected: done < 3)
