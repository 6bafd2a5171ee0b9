"""Coarse and fine evidence: the shares are those of an analysis of variance by hand, and known where a net is."""

import math

import pytest
import torch

from dfn.data.scales import versions
from dfn.design.catalogue import fused
from dfn.design.nodes import Conv, Head, Pool, Series, Tap
from dfn.design.spec import Design
from dfn.insight.evidence import Evidence, evidence
from dfn.models.build import FusedNet, build

SCENES = 5


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return versions(SCENES).images.float().view(SCENES, 3, 3, 3, 32, 32) / 255 - 0.5


@pytest.fixture(scope="module")
def net() -> FusedNet:
    return build(fused(8, 5, 3, 4, classes=9, in_channels=3)).eval()


def by_hand(values: torch.Tensor) -> list[float]:
    """Shares of the sums of squares of values (N, S, T, D), each effect as its own tensor over all versions."""
    values = values.double()
    scene = values.mean((1, 2), keepdim=True)
    coarse = values.mean(2, keepdim=True) - scene
    fine = values.mean(1, keepdim=True) - scene
    both = values - scene - coarse - fine
    whole = (values - values.mean((0, 1, 2))).square().sum()
    effects = (coarse, fine, both, scene - values.mean((0, 1, 2)))
    return [(effect.expand_as(values).square().sum() / whole).item() for effect in effects]


def test_the_shares_are_those_by_hand_at_every_place(net, x):
    found = evidence(net, x)
    logits, trace = net.trace(x.flatten(0, 2))
    places = {"image": x.flatten(0, 2), **trace, "logits": logits}
    assert list(found) == list(places)
    for name, share in found.items():
        values = places[name].detach().reshape(SCENES, 3, 3, -1)
        expected = by_hand(values)
        assert [share.coarse, share.fine, share.both, share.scene] == pytest.approx(expected, abs=1e-9), name
        assert sum(expected) == pytest.approx(1)


def test_a_factor_that_does_not_change_has_no_share(net, x):
    same_shape = x[:, :1].expand(-1, 2, -1, -1, -1, -1)
    for share in evidence(net, same_shape).values():
        assert share.coarse == pytest.approx(0, abs=1e-12) and share.both == pytest.approx(0, abs=1e-12)
        assert share.fine > 0
    still = torch.zeros(2, 2, 2, 3, 32, 32)
    assert math.isnan(evidence(net, still)["image"].fine)


def test_who_sees_no_detail_gets_no_fine_evidence():
    """Means over 4x4 pixels: each texture has mean 0 over every such window."""
    stem = Conv(channels=3, kernel=1, projection=True)
    nodes = (stem, Pool(), Pool(), Tap(name="blurred"), Head())
    blurred = build(Design(body=Series(nodes=nodes), in_channels=3, classes=9, norm="none"))
    blurred.get_parameter("body.stem.conv.weight").data = torch.eye(3)[:, :, None, None]
    stripes = torch.where(torch.arange(32) // 2 % 2 == 0, 0.5, -0.5)
    x = torch.full((4, 2, 2, 3, 32, 32), 2.0)  # above 0 everywhere, so that no ReLU bends it
    x += torch.rand(4, 1, 1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    x[:, 1, :, :, 8:24] += 1
    x[:, :, 0] += stripes
    x[:, :, 1] += stripes[:, None]
    found = evidence(blurred, x)
    assert found["image"].fine > 0.1
    assert found["blurred"].fine == pytest.approx(0, abs=1e-9)
    assert found["blurred"].coarse > found["image"].coarse


def test_the_net_stays_as_it_was(net, x):
    before = {name: value.clone() for name, value in net.state_dict().items()}
    net.train()
    assert isinstance(evidence(net, x)["logits"], Evidence)
    assert net.training and all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(module._forward_hooks for module in net.modules())
    net.eval()


@pytest.mark.parametrize("given", [None, torch.zeros(3, 3, 3, 8, 8), torch.zeros(2, 1, 3, 3, 8, 8)])
def test_what_is_no_set_of_versions_is_refused(net, given):
    with pytest.raises(ValueError, match=r"versions: .* accepted: a float tensor \(N, S, T, C, H, W\)"):
        evidence(net, given)
