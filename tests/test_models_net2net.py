"""Larger nets are the function of the net that they come from, and go on to learn."""

import pytest
import torch
from torch import Tensor, nn

from dfn.design.catalogue import catalogue, fused, merge_run, plain, resnet
from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.design.spec import Design
from dfn.models.build import FusedNet, build
from dfn.models.net2net import deepen, widen

X = torch.randn(16, 3, 12, 12, generator=torch.Generator().manual_seed(1))
Y = torch.arange(16) % 10


def trained(design: Design) -> FusedNet:
    """A few steps of descent: weights, norms and statistics that have moved."""
    net = build(design).train()
    descent = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
    for _ in range(5):
        descent.zero_grad()
        nn.functional.cross_entropy(net(X), Y).backward()
        descent.step()
    return net.eval()


NETS = {
    "plain": plain(8, 3, 6),
    "fused": fused(8, 5, 3, 6),
    "bases": fused(bases=[8, 5, 2], fusions=3, width=6),
    "weighted": fused(8, 5, 3, 6, "weighted"),
    "variance": fused(8, 5, 3, 6, "inverse-variance"),
    "bare": fused(8, 5, 3, 6, norm="none"),
    "resnet": resnet(8, 6),
    "streams": merge_run(8, 6),
    "fractal": catalogue()["fractal"].make(columns=2, blocks=2, width=6),
    "decision": fused(8, 5, 0, 6),
}


@pytest.mark.medium
@pytest.mark.parametrize("design", NETS.values(), ids=NETS)
@pytest.mark.parametrize("channels", [6, 12])
def test_a_wider_net_gives_the_same_logits(design: Design, channels: int):
    net = trained(design)
    wide = widen(net, channels, channels + 5, seed=3)
    assert cost(wide.design).parameters == sum(p.numel() for p in wide.parameters()) > cost(design).parameters
    torch.testing.assert_close(wide(X), net(X), rtol=1e-4, atol=1e-4)
    assert wide.training is False and net.design == design
    twice = widen(wide, channels * 2 if channels == 6 else 6, 30)
    torch.testing.assert_close(twice(X), net(X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["plain", "fused", "streams"])
def test_in_train_mode_too(name: str):
    net = trained(NETS[name])
    wide = widen(net, 6, 11)
    torch.testing.assert_close(wide.train()(X), net.train()(X), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "block"),
    [
        ("plain", "block1"),
        ("plain", "block3"),
        ("fused", "fusion1/deep"),
        ("fused", "fusion3/shallow"),
        ("bases", "fusion2/base3"),
        ("weighted", "fusion2/deep"),
        ("bare", "fusion2/deep"),
        ("resnet", "fusion1/shallow"),
    ],
)
@pytest.mark.parametrize("seen", [False, True], ids=["blind", "seen"])
def test_a_deeper_block_gives_the_same_logits(name: str, block: str, seen: bool):
    net = trained(NETS[name])
    deep = deepen(net, block, X if seen else None)
    assert cost(deep.design).parameters == sum(p.numel() for p in deep.parameters()) > cost(net.design).parameters
    torch.testing.assert_close(deep(X), net(X), rtol=1e-4, atol=1e-4)
    deeper = deepen(deep, block, X if seen else None)
    torch.testing.assert_close(deeper(X), net(X), rtol=1e-4, atol=1e-4)


def gap(a: Tensor, b: Tensor) -> float:
    return (a - b).abs().max().item()


def test_statistics_of_images_make_a_new_norm_nearly_nothing_in_train_mode():
    net = trained(NETS["fused"])
    blind, seen = deepen(net, "fusion2/deep"), deepen(net, "fusion2/deep", X)
    expected = net.train()(X)
    assert gap(seen.train()(X), expected) < 0.02 < gap(blind.train()(X), expected)


def test_the_larger_net_learns_on():
    net = trained(NETS["fused"])
    large = deepen(widen(net, 6, 9), "fusion1/deep", X).train()
    before = nn.functional.cross_entropy(large(X), Y)
    before.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in large.parameters())
    descent = torch.optim.SGD(large.parameters(), 0.01)
    descent.step()
    assert nn.functional.cross_entropy(large(X), Y) < before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda: widen(build(fused(8, 5, 3, 6, "concat")), 6, 8), "net: a concat join is not accepted"),
        (lambda: widen(build(fused(8, 5, 3, 6, "gate")), 6, 8), "net: a gate join is not accepted"),
        (lambda: widen(build(fused(8, 5, 3, 6, norm="group")), 6, 8), "net: a net with group norm is not accepted"),
        (lambda: widen(build(plain(8, 3, 6)), 7, 8), "channels: 7 is not accepted"),
        (lambda: widen(build(plain(8, 3, 6)), 3, 8), "channels: 3 is not accepted"),
        (lambda: widen(build(plain(8, 3, 6)), 6, 5), "to: 5 is not accepted"),
        (lambda: widen(build(merge_run(8, 6, end="concat")), 6, 8), "net: streams side by side is not accepted"),
        (lambda: deepen(build(plain(8, 3, 6)), "block9"), "block: block9 is not accepted"),
        (
            lambda: deepen(build(fused(8, 5, 3, 6)), "fusion1/base3"),
            "block: fusion1/base3 is not",
        ),
        (lambda: deepen(build(fused(8, 5, 3, 6)), "stem"), "block: stem is not accepted"),
        (lambda: deepen(build(catalogue()["highway"].make(8)), "fusion2/deep"), "a block that stands behind a ReLU"),
        (lambda: deepen(build(fused(8, 5, 0, 6)), "fusion1/deep"), "a block that stands behind a ReLU"),
        (lambda: deepen(build(plain(8, 3, 6, norm="group")), "block1"), "no group norm is an identity"),
    ],
    ids=range(13),
)
def test_what_cannot_be_is_refused(change, words: str):
    with pytest.raises(DesignError, match=words):
        change()
