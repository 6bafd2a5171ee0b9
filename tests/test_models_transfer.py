"""Blocks change lanes with their weights: other base networks, the same logits."""

from copy import deepcopy
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import chains
from torch import Tensor, nn

import dfn
from dfn.design.catalogue import fused
from dfn.design.nodes import SYMMETRIC_JOINS, Conv, Fusion, Head, Join, Series, Tap
from dfn.design.picture import edges
from dfn.design.spec import Design
from dfn.models.build import Fused, FusedNet, build
from dfn.models.transfer import exchange_blocks

X = torch.randn(4, 3, 9, 8, generator=torch.Generator().manual_seed(3))


def trained(net: FusedNet) -> FusedNet:
    """Statistics and norms that are not at their beginning."""
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                for values in (module.weight, module.bias, module.running_mean, module.running_var):
                    if values is not None:  # those of an inverse-variance join have no gamma and no beta
                        values.copy_(torch.rand(values.shape, generator=generator) + 0.5)
    return net


def logits(net: FusedNet, training: bool) -> Tensor:
    return deepcopy(net).train(training)(X)


@pytest.mark.medium
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
@pytest.mark.parametrize("join", SYMMETRIC_JOINS)
def test_two_bases_give_the_same_bits(join: str, training: bool):
    net = trained(build(fused(14, 7, 5, 4, join)))  # pyright: ignore[reportArgumentType]
    expected = logits(net, training)
    for fusion in range(1, 6):
        changed = exchange_blocks(net, fusion)
        assert changed.design == dfn.exchange(net.design, fusion) != net.design
        assert torch.equal(logits(changed, training), expected)
    for fusion in (1, 3, 3, 5, 2, 1):
        net = exchange_blocks(net, fusion)
        assert torch.equal(logits(net, training), expected)


def test_gradients_and_statistics_move_with_their_blocks():
    net = build(fused(14, 7, 5, 4)).train()
    changed = exchange_blocks(net, 2)
    assert changed.training
    for one in (net, changed):
        one(X).logsumexp(1).sum().backward()
    moved = {"deep": "shallow", "shallow": "deep"}
    own = dict(changed.named_parameters()) | dict(changed.named_buffers())
    for name, value in [*net.named_parameters(), *net.named_buffers()]:
        place = name.split(".")
        if place[1] == "fusion2":
            place[3] = moved[place[3]]
        partner = own[".".join(place)]
        assert torch.equal(value, partner)
        assert value.grad is None or torch.equal(value.grad, partner.grad)  # pyright: ignore[reportArgumentType]


def test_the_net_itself_is_untouched():
    net = build(fused(8, 5, 3, 4))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    changed = exchange_blocks(net, 1)
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter.zero_()
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())
    assert net.design == fused(8, 5, 3, 4)


def test_changed_net_is_the_net_of_its_design():
    inner = Fusion(branches=(Series(nodes=(Conv(channels=4), Tap(name="seen"))), Series()))
    block = Series(nodes=(Conv(channels=4), Tap(name="here"), inner))
    body = Series(nodes=(Conv(channels=4), Fusion(branches=(block, Series())), Head()))
    changed = exchange_blocks(build(Design(body=body)), 1)
    fresh = build(changed.design, seed=1)
    fresh.load_state_dict(changed.state_dict())
    (got, trace), (expected, names) = changed.eval().trace(X), fresh.eval().trace(X)
    assert torch.equal(got, expected)
    assert list(trace) == list(names)
    assert {name for edge in edges(changed.design) for name in edge} == {"input", *trace}


@pytest.mark.medium
@settings(max_examples=20, deadline=None)
@given(chains(bases=st.just(2), joins=SYMMETRIC_JOINS), st.booleans(), st.data())
def test_random_chains(design: Design, training: bool, data: st.DataObject):
    net = trained(build(design))
    fusions = sum(isinstance(node, Fusion) for node in design.body.nodes)
    changed = exchange_blocks(net, data.draw(st.integers(1, fusions)))
    assert torch.equal(logits(changed, training), logits(net, training))


@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_three_bases_agree_within_rounding(training: bool):
    net = trained(build(fused(bases=[12, 8, 5], fusions=3, width=4)))
    expected = logits(net, training)
    for fusion in (1, 2, 2, 3):
        net = exchange_blocks(net, fusion)
        torch.testing.assert_close(logits(net, training), expected, rtol=1e-4, atol=1e-4)


def test_two_whole_nets_may_change_places():
    net = trained(build(fused(8, 5, 0, 4)))
    assert torch.equal(logits(exchange_blocks(net, 1), False), logits(net, False))


@pytest.mark.parametrize("join", sorted(set(get_args(Join)) - set(SYMMETRIC_JOINS)))
def test_joins_with_an_order_refuse(join: str):
    net = build(fused(8, 5, 3, 4, join))  # pyright: ignore[reportArgumentType]
    with pytest.raises(dfn.DesignError, match=f"{join} is not accepted"):
        exchange_blocks(net, 1)
    with pytest.raises(dfn.DesignError, match="from 1 to 3"):
        exchange_blocks(build(fused(8, 5, 3, 4)), 4)


def swapped(net: FusedNet, first: tuple[int, str], second: tuple[int, str]) -> FusedNet:
    """A copy in which two blocks change places, whatever this does to the net."""
    net = deepcopy(net)
    places = []
    for number, lane in (first, second):
        fusion = net.body.get_submodule(f"fusion{number}")
        assert isinstance(fusion, Fused)
        places.append((fusion.branches, lane))
    (one, a), (other, b) = places
    one[a], other[b] = other[b], one[a]
    return net


def test_it_is_the_place_within_one_fusion_that_does_not_matter():
    net = trained(build(fused(14, 8, 6, 4)))
    assert torch.equal(logits(swapped(net, (1, "deep"), (1, "shallow")), False), logits(net, False))
    assert not torch.allclose(logits(swapped(net, (1, "deep"), (2, "deep")), False), logits(net, False), atol=1e-2)


@pytest.mark.parametrize("join", ["concat", "gate"])
def test_under_concat_and_gate_the_order_matters(join: str):
    net = trained(build(fused(8, 5, 3, 4, join)))  # pyright: ignore[reportArgumentType]
    changed = swapped(net, (2, "deep"), (2, "shallow"))
    assert not torch.allclose(logits(changed, False), logits(net, False), atol=1e-3)
