"""Attribution says what Captum says by hand, keeps its axioms, and leaves no trace on the net that it was given."""

import threading
import warnings
from typing import Any

import pytest
import torch
from captum.attr import (
    DeepLift,
    FeatureAblation,
    GuidedBackprop,
    InternalInfluence,
    LayerConductance,
    LayerGradCam,
    LayerIntegratedGradients,
    NeuronGradient,
    NeuronIntegratedGradients,
    Occlusion,
    Saliency,
)
from hypothesis import given, settings
from strategies import designs
from torch import Tensor

from dfn.design.catalogue import catalogue, fused
from dfn.design.nodes import Conv, Fusion, Head, Series
from dfn.design.spec import Design
from dfn.insight.attribution import Attribution, Cancelled, attribute
from dfn.insight.branches import attribute_by_branch
from dfn.insight.gradients import gradient_by_length, gradient_flow
from dfn.insight.methods import METHODS, Unit, misfit
from dfn.insight.scores import infidelity, pixel_curve, randomisation, sensitivity
from dfn.insight.subject import mark, own_copy
from dfn.models.build import FusedNet, build

X = torch.randn(3, 2, 8, 8, generator=torch.Generator().manual_seed(1))
TARGET = torch.tensor([1, 0, 3])
SMALL = fused(8, 5, 3, 4, classes=4, in_channels=2)

inputs = [name for name, method in METHODS.items() if "input" in method.places]
maps = [name for name, method in METHODS.items() if "map" in method.places]
quick = {"steps": 20}


def settled(design: Design = SMALL, seed: int = 0) -> FusedNet:
    """A net whose batch-norm statistics are not at their beginning."""
    net = build(design, seed).train()
    with torch.no_grad():
        for _ in range(20):
            net(X)
    return net.eval()


def few(method: str) -> dict:
    return quick if "steps" in METHODS[method].options else {}


def by_hand(net: FusedNet, method: str) -> Tensor:
    x = X.clone().requires_grad_()
    how = {"n_steps": 20, "method": "riemann_middle"}
    joined = net.get_submodule("body.fusion2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        match method:
            case "saliency":
                return Saliency(net).attribute(x, target=TARGET)
            case "deep_lift":
                return DeepLift(net).attribute(x, torch.zeros_like(x), TARGET)
            case "guided_backprop":
                return GuidedBackprop(net).attribute(x, TARGET)
            case "occlusion":
                return Occlusion(net).attribute(x, (2, 2, 2), (2, 1, 1), 0, TARGET)
            case "feature_ablation":
                cells = torch.arange(8) // 2
                return FeatureAblation(net).attribute(
                    x, 0, TARGET, feature_mask=(cells[:, None] * 4 + cells).expand(1, 2, 8, 8).contiguous()
                )
            case "grad_cam":
                return LayerGradCam(net, joined).attribute(x, TARGET, relu_attributions=True)  # pyright: ignore
            case "layer_conductance":
                return LayerConductance(net, joined).attribute(x, 0, TARGET, **how)  # pyright: ignore
            case "internal_influence":
                return InternalInfluence(net, joined).attribute(x, 0, TARGET, **how)  # pyright: ignore
            case "integrated_gradients":
                return LayerIntegratedGradients(net, joined).attribute(x, 0, TARGET, **how)  # pyright: ignore
        raise AssertionError(method)


@pytest.mark.parametrize(
    ("method", "at"),
    [
        ("saliency", "input"),
        ("deep_lift", "input"),
        ("guided_backprop", "input"),
        ("occlusion", "input"),
        ("feature_ablation", "input"),
        ("integrated_gradients", "fusion2/joined"),
        ("grad_cam", "fusion2/joined"),
        ("layer_conductance", "fusion2/joined"),
        ("internal_influence", "fusion2/joined"),
    ],
)
def test_it_is_what_captum_says_by_hand(method: str, at: str):
    net = settled()
    torch.testing.assert_close(attribute(net, X, TARGET, method, at, **few(method)).values, by_hand(net, method))


def test_a_unit_is_what_captum_says_of_a_neuron():
    net = settled()
    unit = Unit("fusion2/deep", 3, 1, 2)
    layer = net.get_submodule("body.fusion2.branches.deep")
    x = X.clone().requires_grad_()
    slope = attribute(net, X, unit, "saliency").values
    torch.testing.assert_close(slope, NeuronGradient(net, layer).attribute(x, (3, 1, 2)).abs())
    amount = attribute(net, X, unit, steps=20)
    neuron = NeuronIntegratedGradients(net, layer)
    torch.testing.assert_close(amount.values, neuron.attribute(x, (3, 1, 2), n_steps=20, method="riemann_middle"))
    rise = net.trace(X)[1][unit.at][:, 3, 1, 2] - net.trace(X * 0)[1][unit.at][:, 3, 1, 2]
    torch.testing.assert_close(attribute(net, X, unit, "deep_lift").values.sum((1, 2, 3)), rise, atol=1e-5, rtol=1e-4)


def linear() -> tuple[FusedNet, Tensor]:
    """A fused net without a bend, and its slope (classes, channels) at every pixel."""
    straight = Conv(channels=3, kernel=1, projection=True)
    fusion = Fusion(branches=(Series(nodes=(straight,)), Series()), relu="before")
    net = build(Design(body=Series(nodes=(straight, fusion, Head())), in_channels=2, classes=4, norm="none"))
    stem = net.get_parameter("body.stem.conv.weight")[:, :, 0, 0]
    block = net.get_parameter("body.fusion1.branches.deep.conv1.conv.weight")[:, :, 0, 0]
    head = net.get_parameter("body.logits.linear.weight")
    return net, (head @ (block + torch.eye(3)) @ stem).detach() / 64


@pytest.mark.parametrize("method", ["input_x_gradient", "integrated_gradients", "deep_lift", "occlusion"])
def test_a_linear_net_shares_out_slope_times_input(method: str):
    net, slope = linear()
    options: dict[str, Any] = {"window": 1, "stride": 1} if method == "occlusion" else {}
    values = attribute(net, X, TARGET, method, **options).values
    expected = X * slope[TARGET][:, :, None, None]
    if method == "occlusion":  # a pixel goes with all its colours
        expected = expected.sum(1, keepdim=True).expand_as(X)
    torch.testing.assert_close(values, expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("method", ["saliency", "smoothgrad"])
def test_a_linear_net_has_one_slope(method: str):
    net, slope = linear()
    expected = slope[TARGET][:, :, None, None].expand_as(X)
    values = attribute(net, X, TARGET, method).values
    torch.testing.assert_close(values, expected.abs() if method == "saliency" else expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(
    "design",
    [
        SMALL,
        fused(8, 5, 3, 4, "mean", 4, 2),
        fused(8, 5, 3, 4, "concat", 4, 2),
        fused(8, 5, 3, 4, classes=4, in_channels=2, norm="none"),
        fused(8, 5, 0, 4, classes=4, in_channels=2),
    ],
    ids=["sum", "mean", "concat", "bare", "decision"],
)
@pytest.mark.parametrize("at", ["input", "fusion2/joined", "fusion1/deep"])
def test_deep_lift_is_complete(design: Design, at: str):
    if at != "input" and len(design.body.nodes) == 1:
        at = "fusion1/deep/block2"
    found = attribute(settled(design), X, TARGET, "deep_lift", at)
    assert found.gap is not None and found.change is not None
    torch.testing.assert_close(found.values.sum((1, 2, 3)).double(), found.change, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("join", "reason"), [("max", "a max join"), ("gate", "a gate join"), ("adaptive", "an adaptive join")]
)
def test_deep_lift_is_not_offered_where_it_is_wrong(join, reason: str):
    design = fused(8, 5, 3, 4, join, 4, 2)
    assert misfit(METHODS["deep_lift"], design) == reason and misfit(METHODS["saliency"], design) is None
    with pytest.raises(ValueError, match=reason):
        attribute(build(design), X, TARGET, "deep_lift")
    assert misfit(METHODS["deep_lift"], fused(8, 5, 3, norm="group")) == "group norm"


@pytest.mark.parametrize("at", ["input", "stem", "fusion2/joined", "fusion2/shallow"])
def test_integration_goes_on_until_the_gap_is_small(at: str):
    net = settled()
    found = attribute(net, X, TARGET, at=at)
    rough = attribute(net, X, TARGET, at=at, steps=10)
    assert found.gap is not None and rough.gap is not None and found.steps is not None and found.change is not None
    assert ((found.gap <= 0.01) | (found.steps == 1600)).all() and found.gap.max() <= rough.gap.max()
    torch.testing.assert_close(
        (found.values.double().sum((1, 2, 3)) - found.change).abs() / found.change.abs(), found.gap
    )


def test_the_change_is_that_of_the_logit():
    net = settled()
    baseline = torch.full((2, 8, 8), 0.3)
    found = attribute(net, X, TARGET, steps=5, baseline=baseline)
    expected = net(X) - net(baseline[None])
    torch.testing.assert_close(found.change, expected.gather(1, TARGET[:, None])[:, 0].double().detach())
    same = attribute(net, X, TARGET, steps=5, baseline=X)
    assert not same.values.any() and same.gap is not None and not same.gap.any()


@pytest.mark.parametrize("method", METHODS)
def test_values_are_shaped_like_what_they_explain(method: str):
    net = settled()
    for at, shape in (("input", (2, 8, 8)), ("fusion2/joined", (8, 4, 4)), ("fusion2/shallow", (8, 4, 4))):
        if ("input" if at == "input" else "map") not in METHODS[method].places:
            continue
        found = attribute(net, X, 2, method, at, **few(method))
        assert found.values.shape == (3, *((1, 4, 4) if method == "grad_cam" else shape))
        assert found.values.isfinite().all() and not found.values.requires_grad
        assert (found.gap is not None) <= METHODS[method].completeness
        facts = METHODS[method]
        assert facts.title and facts.formula and facts.source and facts.says.endswith(".")


def test_grad_cam_can_be_brought_to_the_size_of_the_image():
    net = settled()
    assert attribute(net, X, 1, "grad_cam", "fusion3/deep", upsample=True).values.shape == (3, 1, 8, 8)
    signed = attribute(net, X, 1, "grad_cam", "fusion3/deep", relu=False).values
    torch.testing.assert_close(attribute(net, X, 1, "grad_cam", "fusion3/deep").values, signed.relu())


def test_an_identity_block_has_a_gradient_of_its_own():
    net = settled(fused(8, 2, 3, 4, classes=4, in_channels=2))  # the shallow block of fusion 1 is the identity
    x = X.clone().requires_grad_()
    logits, trace = net.trace(x)
    for at in ("fusion1/shallow", "stem"):
        (slope,) = torch.autograd.grad(logits.gather(1, TARGET[:, None]).sum(), trace[at], retain_graph=True)
        torch.testing.assert_close(attribute(net, X, TARGET, "saliency", at).values, slope.abs())
    influence = attribute(net, X, TARGET, "internal_influence", "fusion1/shallow", steps=4).values
    assert not torch.allclose(influence, attribute(net, X, TARGET, "internal_influence", "stem", steps=4).values)


@settings(max_examples=8)
@given(designs())
def test_every_map_of_every_net_can_be_marked(design: Design):
    net = build(design).eval()
    x = torch.rand(2, design.in_channels, 16, 16)
    logits, trace = net.trace(x)
    for name, map_ in trace.items():
        if map_.dim() == 4:
            copy = own_copy(net)
            place, seen = mark(copy, name), []
            handle = place.register_forward_hook(lambda module, args, out, seen=seen: seen.append(out))
            assert torch.equal(copy(x), logits) and torch.equal(seen[0], map_)
            handle.remove()
            place.value = torch.zeros_like(map_)
            assert not copy.trace(x)[1][name].any()


def everything(net: FusedNet) -> list[Attribution]:
    found = [attribute(net, X, TARGET, method, **few(method)) for method in inputs]
    found += [attribute(net, X, TARGET, method, "fusion2/deep", **few(method)) for method in maps]
    found.append(attribute_by_branch(net, X, TARGET, 2, steps=3).whole)
    return found


@pytest.mark.medium
@pytest.mark.parametrize("training", [False, True])
def test_the_net_stays_as_it_was(training: bool):
    net = settled().train(training)
    net.requires_grad_(True)
    state = {name: value.clone() for name, value in net.state_dict().items()}
    modes = [module.training for module in net.modules()]
    random = torch.get_rng_state()
    everything(net)
    gradient_by_length(net, X, TARGET)
    gradient_flow(net, X, TARGET)
    infidelity(net, X, attribute(net, X, TARGET, "deep_lift"))
    sensitivity(net, X, TARGET, "saliency", samples=2)
    randomisation(net, X, TARGET, "saliency")
    pixel_curve(net, X, TARGET, X)
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert [module.training for module in net.modules()] == modes
    assert all(parameter.grad is None and parameter.requires_grad for parameter in net.parameters())
    for module in net.modules():
        assert not (module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)
        assert not (module._backward_pre_hooks or module._state_dict_hooks)
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("silence", [torch.no_grad, torch.inference_mode])
def test_gradients_that_the_caller_switched_off_do_not_matter(silence):
    net = settled()
    expected = attribute(net, X, TARGET, "saliency").values
    parts = gradient_by_length(net, X, TARGET)
    with silence():
        images = X.clone()
        assert torch.equal(attribute(net, images, TARGET, "saliency").values, expected)
        again = gradient_by_length(net, images, TARGET)
        assert all(torch.equal(again[length], parts[length]) for length in parts)


@pytest.mark.medium
def test_two_threads_get_the_pictures_of_one():
    nets = settled(seed=0), settled(seed=1), settled(seed=0)  # the third shares nothing, the first is shared below
    jobs = [(nets[0], "guided_backprop"), (nets[0], "deep_lift"), (nets[1], "guided_backprop"), (nets[0], "smoothgrad")]
    alone = [attribute(net, X, TARGET, method).values for net, method in jobs]
    found: list[list[Tensor]] = [[] for _ in jobs]

    def work(index: int) -> None:
        net, method = jobs[index]
        for _ in range(5):
            found[index].append(attribute(net, X, TARGET, method).values)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for values, expected in zip(found, alone, strict=True):
        assert len(values) == 5 and all(torch.equal(value, expected) for value in values)


def test_progress_is_told_and_can_stop():
    net = settled()
    told: list[tuple[int, int]] = []
    attribute(net, X, TARGET, "occlusion", on_progress=lambda done, expected: told.append((done, expected)))
    passes = METHODS["occlusion"].cost({"window": None, "stride": None}, (2, 8, 8)).forward
    assert [done for done, _ in told] == sorted({done for done, _ in told}) and told[-1] == (3 * passes, 3 * passes)
    with pytest.raises(Cancelled):
        attribute(net, X, TARGET, "occlusion", on_progress=lambda done, expected: done < 20)
    assert attribute(net, X, TARGET, "saliency").values.any()


@pytest.mark.parametrize("method", METHODS)
def test_the_cost_is_what_is_passed(method: str):
    told: list[int] = []
    at = "input" if method in inputs else "fusion3/joined"
    options = dict(METHODS[method].options) | few(method)
    attribute(settled(), X[:1], 1, method, at, on_progress=lambda done, expected: told.append(expected), **options)
    assert told[0] == METHODS[method].cost(options, (2, 8, 8)).forward


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"method": "lrp"}, "method: lrp is not accepted; accepted: one of saliency"),
        ({"at": "fusion9/joined"}, "at: fusion9/joined is not accepted; accepted: input, stem, fusion1/deep"),
        ({"method": "grad_cam"}, "at: input is not accepted; accepted: stem"),
        ({"target": 4}, "target: 4 is not accepted; accepted: a class from 0 to 3"),
        ({"target": -1}, "target: -1"),
        ({"target": True}, "target: True"),
        ({"target": [0, 1]}, "or 3 of them"),
        ({"target": torch.tensor([0.0, 1.0, 2.0])}, "target"),
        ({"target": Unit("fusion2/joined", 8, 0, 0)}, "target.channel: 8"),
        ({"target": Unit("nowhere", 0, 0, 0)}, "target.at: nowhere"),
        ({"target": Unit("fusion2/joined", 0, 0, 0), "at": "stem"}, "at: stem is not accepted; accepted: input"),
        ({"x": X[0]}, r"x: a tensor torch.float32 of shape \(2, 8, 8\) is not accepted"),
        ({"x": X[:, :1]}, r"\(N, 2, H, W\)"),
        ({"x": X * float("nan")}, "x: a tensor with NaN"),
        ({"x": (X * 10).byte()}, "x: a tensor torch.uint8"),
        ({"x": "cat.png"}, "x: 'cat.png'|x: cat.png"),
        ({"steps": 1}, "steps: 1 is not accepted; accepted: a whole number from 2 to 1600"),
        ({"window": 3}, "window: 3 is not accepted; accepted: with integrated_gradients only steps, baseline"),
        ({"baseline": torch.zeros(2, 4, 4)}, "baseline"),
        ({"method": "smoothgrad", "noise": -1.0}, "noise: -1.0"),
        ({"method": "grad_cam", "at": "stem", "relu": 1}, "relu: 1"),
        ({"net": torch.nn.Linear(2, 2)}, "net"),
    ],
)
def test_what_cannot_be_is_refused_with_field_value_and_what_is_accepted(wrong: dict, words: str):
    with pytest.raises(ValueError, match=words):
        attribute(**({"net": build(SMALL), "x": X, "target": 1} | wrong))


@pytest.mark.medium
@pytest.mark.parametrize("name", ["resnet", "highway", "inception", "fractal", "plain"])
def test_named_nets_are_explained(name: str):
    settings = {"resnet": {"depth": 8}, "highway": {"depth": 5}, "inception": {"modules": 3}, "fractal": {"blocks": 2}}
    net = settled(catalogue()[name].make(width=4, in_channels=2, **settings.get(name, {"depth": 8, "fusions": 3})))
    for method in inputs:
        if misfit(METHODS[method], net.design) is None:
            assert attribute(net, X, 1, method, **few(method)).values.isfinite().all()
