"""The gradient by length and by branch: equal to brute force over all paths, and adding up to autograd's gradient."""

from collections import defaultdict
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from strategies import ANY_JOIN, designs
from torch import Tensor
from torch.nn.functional import cross_entropy

from dfn.design.catalogue import catalogue, fused
from dfn.design.paths import base_networks, path_spectrum
from dfn.design.spec import Design
from dfn.insight.attribution import attribute
from dfn.insight.branches import attribute_by_branch
from dfn.insight.gradients import gradient_by_length, gradient_flow
from dfn.insight.lesions import cut_feedback, lesion
from dfn.insight.subject import own_copy
from dfn.insight.tape import Tape
from dfn.models.build import Fused, FusedNet, build

X = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(1))
TARGET = torch.tensor([1, 0, 3])

joins = pytest.mark.parametrize("join", ["sum", "mean", "max", "concat"])


def settled(design: Design) -> FusedNet:
    """A net in double precision whose batch-norm statistics are not at their beginning."""
    net = build(design, seed=3).train()
    with torch.no_grad():
        for _ in range(20):
            net(X)
    return net.eval().double()


def autograd(net: FusedNet, x: Tensor = X) -> Tensor:
    x = x.double().requires_grad_()
    (gradient,) = torch.autograd.grad(net(x).gather(1, TARGET[:, None]).sum(), x)
    return gradient


def along(net: FusedNet, choice: tuple[int, ...]) -> Tensor:
    """The gradient along one path: at every fusion the other blocks are constants."""
    x = X.double().requires_grad_()
    taken, h = iter(choice), x
    for module in net.body.children():
        if isinstance(module, Fused):
            lane = next(taken)
            maps = [block(h) if k == lane else block(h).detach() for k, block in enumerate(module.branches.values())]
            h = module.relu(module.join(h, *maps))
        else:
            h = module(h)
    (gradient,) = torch.autograd.grad(h.gather(1, TARGET[:, None]).sum(), x)
    return gradient


@joins
@pytest.mark.parametrize("bases", [[8, 5], [9, 2], [8, 5, 2]])
def test_lengths_are_those_of_brute_force(join, bases: list[int]):
    design = fused(bases=bases, fusions=3, width=4, join=join, classes=4, in_channels=2)
    net = settled(design)
    expected: defaultdict[int, Tensor] = defaultdict(lambda: torch.zeros_like(X).double())
    for choice, depth in base_networks(design):
        expected[depth] += along(net, choice)
    found = gradient_by_length(net, X, TARGET)
    assert list(found) == list(path_spectrum(design)) == sorted(found, reverse=True)
    for depth, part in found.items():
        torch.testing.assert_close(part, expected[depth], rtol=1e-5, atol=1e-9)
    torch.testing.assert_close(torch.stack(list(found.values())).sum(0), autograd(net), rtol=1e-9, atol=1e-12)


@settings(max_examples=8)
@given(designs(dropout=False))
def test_lengths_of_any_net_add_up(design: Design):
    net = build(design).double()
    x = torch.rand(2, design.in_channels, 16, 16).double()
    found = gradient_by_length(net, x, 1)
    x.requires_grad_()
    (expected,) = torch.autograd.grad(net.eval()(x)[:, 1].sum(), x)
    torch.testing.assert_close(sum(found.values()), expected, rtol=1e-6, atol=1e-10)


def test_a_gate_is_a_way_without_layers():
    design = fused(8, 5, 3, 4, "gate", 4, 2)
    found = gradient_by_length(settled(design), X, TARGET)
    assert set(path_spectrum(design)) < set(found) and min(found) == 2
    torch.testing.assert_close(sum(found.values()), autograd(settled(design)), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["fractal", "resnet", "plain", "fused", "merge-run"])
def test_named_nets_have_the_lengths_of_their_paths(name: str):
    settings = {"fractal": {}, "resnet": {"depth": 8}, "plain": {"depth": 8}, "fused": {"deep": 8, "fusions": 0}}
    settings["merge-run"] = {"depth": 8}
    design = catalogue()[name].make(width=4, classes=4, in_channels=2, **settings[name])
    net = settled(design)
    found = gradient_by_length(net, X, TARGET)
    assert list(found) == list(path_spectrum(design))
    torch.testing.assert_close(sum(found.values()), autograd(net), rtol=1e-9, atol=1e-12)


def test_what_is_cut_has_no_gradient():
    net = settled(fused(8, 5, 3, 4, classes=4, in_channels=2))
    assert list(gradient_by_length(lesion(net), X, TARGET)) == [8]
    assert list(gradient_by_length(lesion(net, 2, "deep", "mean"), X, TARGET)) == [7, 6, 5]
    one_way = cut_feedback(net, 1, "shallow")
    found = gradient_by_length(one_way, X, TARGET)
    torch.testing.assert_close(sum(found.values()), autograd(one_way), rtol=1e-9, atol=1e-12)


def test_the_tape_plays_what_the_net_plays():
    net = settled(fused(8, 5, 3, 4, classes=4, in_channels=2))
    for played in (net, cut_feedback(net, 2, "deep"), lesion(net, 1, "deep")):
        tape = Tape(own_copy(played), X.double())
        logits, trace = played.trace(X.double())
        assert torch.equal(tape.values[tape.logits], logits)
        assert tape.places.keys() == trace.keys() - {"logits"}
        assert all(torch.equal(tape.values[place], trace[name]) for name, place in tape.places.items())


@pytest.mark.parametrize("of", ["logit", "loss"])
def test_flow_is_autograd_at_every_place(of):
    net = settled(fused(8, 5, 3, 4, classes=4, in_channels=2))
    logits, trace = net.trace(X.double().requires_grad_())
    wanted = cross_entropy(logits, TARGET, reduction="sum") if of == "loss" else logits.gather(1, TARGET[:, None]).sum()
    flow = gradient_flow(net, X, TARGET, of)
    names = [name for name in trace if name != "logits"]
    gradients = torch.autograd.grad(wanted, [trace[name] for name in names], retain_graph=True)
    for name, gradient in zip(names, gradients, strict=True):
        assert flow.places[name] == pytest.approx(gradient.flatten(1).norm(dim=1).mean().item())
    for back, source in zip(flow.fusions, ["stem", "fusion1/joined", "fusion2/joined"], strict=True):
        assert back.received == flow.places[f"{back.fusion}/joined"] and back.total == flow.places[source]
        for lane, size in back.blocks.items():
            block = trace[f"{back.fusion}/{lane}"]
            (arriving,) = torch.autograd.grad(wanted, block, retain_graph=True)
            (handed,) = torch.autograd.grad(block, trace[source], arriving, retain_graph=True)
            assert size == pytest.approx(handed.flatten(1).norm(dim=1).mean().item())


def test_flow_of_something_else_is_refused():
    with pytest.raises(ValueError, match="of: norm is not accepted; accepted: logit or loss"):
        gradient_flow(build(fused(8, 5, 3, 4)), torch.zeros(1, 3, 8, 8), 0, "norm")  # pyright: ignore


@pytest.mark.parametrize("join", ANY_JOIN)
def test_branches_add_up_to_integrated_gradients(join):
    net = settled(fused(8, 5, 3, 4, join, 4, 2)).float()
    found = attribute_by_branch(net, X, TARGET, 2, steps=20)
    assert found.residual < 1e-4
    assert set(found.parts) == {"deep", "shallow"} | ({"gate"} if join == "gate" else set())
    assert torch.equal(found.whole.values, attribute(net, X, TARGET, steps=20).values)


def test_a_branch_is_the_paths_through_its_block():
    net = settled(fused(8, 5, 2, 4, classes=4, in_channels=2))
    steps = 4
    found = attribute_by_branch(net, X, TARGET, 1, steps=steps, baseline=X[:1] * 0.5)
    start = (X[:1] * 0.5).double()
    for lane, name in enumerate(("deep", "shallow")):
        expected = torch.zeros_like(X).double()
        for step, last in product(range(steps), (0, 1)):
            x = (start + (step + 0.5) / steps * (X.double() - start)).requires_grad_()
            h = net.get_submodule("body.stem")(x)
            for number, chosen in ((1, lane), (2, last)):
                fusion = net.get_submodule(f"body.fusion{number}")
                assert isinstance(fusion, Fused)
                maps = [b(h) if k == chosen else b(h).detach() for k, b in enumerate(fusion.branches.values())]
                h = fusion.relu(fusion.join(h, *maps))
            logits = net.get_submodule("body.logits")(h)
            expected += torch.autograd.grad(logits.gather(1, TARGET[:, None]).sum(), x)[0] / steps
        torch.testing.assert_close(found.parts[name], expected * (X.double() - start), rtol=1e-6, atol=1e-9)


def test_branches_of_what_has_none_are_refused():
    with pytest.raises(ValueError, match="fusion: 4 is not accepted; accepted: a whole number from 1 to 3"):
        attribute_by_branch(build(fused(8, 5, 3, 4)), torch.zeros(1, 3, 8, 8), 0, 4)
    with pytest.raises(ValueError, match="a net with fusions"):
        attribute_by_branch(build(catalogue()["plain"].make(8)), torch.zeros(1, 3, 8, 8), 0, 1)
