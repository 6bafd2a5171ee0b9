"""Comparisons against formulas written out, and their invariances."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from dfn.design.catalogue import fused, plain
from dfn.insight.similarity import alignment, compare_nets, linear_cka, meetings
from dfn.models.build import build

X = torch.randn(6, 2, 8, 8, generator=torch.Generator().manual_seed(1))
SMALL = fused(8, 5, 3, 4, classes=4, in_channels=2)


def naive_cka(a: Tensor, b: Tensor) -> float:
    """By the features instead of the kernels."""
    x, y = ((m.flatten(1) - m.flatten(1).mean(0)).double().numpy() for m in (a, b))
    return float(np.linalg.norm(y.T @ x) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def test_cka_is_its_formula():
    generator = torch.Generator().manual_seed(0)
    a, b = torch.randn(20, 3, 2, 2, generator=generator), torch.randn(20, 7, generator=generator)
    assert linear_cka(a, b) == pytest.approx(naive_cka(a, b)) == pytest.approx(linear_cka(b, a))
    rotation, _ = torch.linalg.qr(torch.randn(7, 7, generator=generator))
    assert linear_cka(b, 3 * b @ rotation + 1) == pytest.approx(1)
    assert linear_cka(a, b) < 0.9
    assert math.isnan(linear_cka(a, torch.ones(20, 3)))
    with pytest.raises(ValueError, match="19 maps beside 20"):
        linear_cka(a, b[:19])


def test_nets_are_compared_place_by_place():
    net, other = build(SMALL).eval(), build(plain(8, 3, 4, classes=4, in_channels=2), seed=1).eval()
    table = compare_nets(net, other, X, ["fusion1/joined", "fusion3/deep"], ["block1", "block2", "block3"])
    assert table.shape == (2, 3)
    expected = naive_cka(net.trace(X)[1]["fusion3/deep"].detach(), other.trace(X)[1]["block2"].detach())
    assert table[1, 1] == pytest.approx(expected)
    assert compare_nets(net, net, X, ["stem"], ["stem"])[0, 0] == pytest.approx(1)
    with pytest.raises(ValueError, match="places: block9 is not accepted; accepted: some of stem, fusion1/deep"):
        compare_nets(net, other, X, ["block9"], [])


def test_what_meets_is_measured_on_the_maps():
    net = build(SMALL).eval()
    _, trace = net.trace(X)
    first, second, third = meetings(net, X)
    assert [first.fusion, second.fusion, third.fusion] == ["fusion1", "fusion2", "fusion3"]
    deep, shallow = (trace[f"fusion2/{lane}"].detach().double() for lane in ("deep", "shallow"))
    share = deep.abs().sum() / (deep.abs().sum() + shallow.abs().sum())
    assert second.shares == {"deep": pytest.approx(share.item()), "shallow": pytest.approx(1 - share.item())}
    pair = ("deep", "shallow")
    assert second.cosine[pair] == pytest.approx(((deep * shallow).sum() / deep.norm() / shallow.norm()).item())
    assert second.opposite_signs[pair] == pytest.approx((deep * shallow < 0).double().mean().item())


def test_blocks_of_a_concat_have_shares_but_no_pairs():
    net = build(fused(bases=[8, 5, 2], fusions=3, width=4, join="concat", classes=4, in_channels=2))
    first = meetings(net, X)[0]  # 4 channels in three parts: 2, 1 and 1
    assert sum(first.shares.values()) == pytest.approx(1) and list(first.cosine) == [("base2", "base3")]


def test_alignment_is_the_cka_of_all_images_beside_that_of_shuffled_ones():
    net, other = build(SMALL).eval(), build(plain(8, 3, 4, classes=4, in_channels=2), seed=1).eval()
    x = torch.randn(70, 2, 8, 8, generator=torch.Generator().manual_seed(3))  # more than one batch
    found = alignment(net, other, x, "fusion2/joined", "block2")
    a, b = net.trace(x)[1]["fusion2/joined"].detach(), other.trace(x)[1]["block2"].detach()
    assert found.images == 70 and found.value == pytest.approx(naive_cka(a, b))
    orders = [torch.randperm(70, generator=torch.Generator().manual_seed(seed)) for seed in range(20)]
    chance = np.mean([naive_cka(a, b[order]) for order in orders])
    assert found.shuffled == pytest.approx(chance, rel=0.15) and found.shuffled < found.value
    assert alignment(net, net, x, "stem", "stem").value == pytest.approx(1)
    with pytest.raises(ValueError, match="places: block9 is not accepted"):
        alignment(net, other, x, "stem", "block9")
