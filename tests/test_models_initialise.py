"""How weights begin: each scheme against torch's own, and by the variance that it gives."""

import json
import math

import pytest
import torch
from torch import Tensor, nn

import dfn
from dfn.design.catalogue import fused, highway, merge_run, plain
from dfn.design.cost import layers
from dfn.design.nodes import Conv, Head
from dfn.design.spec import Design
from dfn.figures import start as figures
from dfn.insight.start import branch_weights, layer_variances
from dfn.models.build import FusedNet, build
from dfn.models.initialise import initialise
from dfn.models.starts import Scheme

X = torch.randn(16, 3, 16, 16, generator=torch.Generator().manual_seed(2))


def started(design: Design, start: Scheme, seed: int = 0) -> FusedNet:
    net = build(design)
    initialise(net, start, seed, X if start == "lsuv" else None)
    return net


def convs(net: nn.Module) -> list[nn.Conv2d]:
    return [module for module in net.modules() if isinstance(module, nn.Conv2d)]


def test_he_is_what_build_gives():
    built, begun = build(fused(8, 5, 3, 8), 3), started(fused(8, 5, 3, 8), "he", 3)
    assert all(torch.equal(a, b) for a, b in zip(built.parameters(), begun.parameters(), strict=True))


def test_glorot_has_the_variance_of_its_formula():
    for module in started(fused(8, 5, 3, 32), "glorot").modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(module.weight)
            assert module.weight.std().item() == pytest.approx(math.sqrt(2 / (fan_in + fan_out)), rel=0.1)


@pytest.mark.parametrize(("start", "gain"), [("he", 2.0), ("orthogonal", 2.0)])
def test_these_keep_the_mean_square_through_a_relu(start: Scheme, gain: float):
    net = started(plain(14, 3, 32, norm="none"), start)
    conv = convs(net)[3]
    x = torch.randn(4, conv.in_channels, 9, 9, generator=torch.Generator().manual_seed(0)).relu()
    assert conv(x)[..., 1:-1, 1:-1].square().mean().item() == pytest.approx(gain * x.square().mean().item(), rel=0.15)


@pytest.mark.medium
@pytest.mark.parametrize(("start", "gain"), [("orthogonal", math.sqrt(2)), ("lsuv", 1.0)])
def test_orthogonal_weights_are_orthogonal(start: Scheme, gain: float):
    net = started(fused(8, 5, 3, 8), start)
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            rows = module.weight.flatten(1)
            rows = rows if len(rows) <= rows.shape[1] else rows.T
            product = rows @ rows.T
            size = product[0, 0].item()
            torch.testing.assert_close(product, size * torch.eye(len(rows)), rtol=1e-4, atol=1e-4)
            if start == "orthogonal":
                wanted = gain**2 if isinstance(module, nn.Conv2d) else 1.0
                assert size == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    "design",
    [plain(14, 3, 8, norm="none"), fused(8, 5, 3, 8, norm="none"), merge_run(8, 8, norm="none"), fused(8, 5, 3, 8)],
    ids=["plain", "fused", "streams", "norm"],
)
def test_lsuv_gives_every_layer_unit_variance(design: Design):
    net = started(design, "lsuv").eval()
    seen: dict[nn.Module, float] = {}
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(lambda module, _, output: seen.update({module: output.var().item()}))
    net(X)
    assert len(seen) == sum(isinstance(layer.node, Conv | Head) for layer in layers(design))
    assert all(abs(variance - 1) < 0.02 for variance in seen.values())


def test_lsuv_leaves_no_trace_and_asks_for_images():
    net = build(fused(8, 5, 3, 8)).train()
    state = torch.get_rng_state()
    with pytest.raises(ValueError, match="images: None is not accepted; accepted: a batch of normalised images"):
        initialise(net, "lsuv")
    initialise(net, "lsuv", 1, X)
    assert net.training and torch.equal(torch.get_rng_state(), state)
    assert not any(module._forward_pre_hooks for module in net.modules())
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(norm.num_batches_tracked == 0 for norm in norms)
    again = started(fused(8, 5, 3, 8), "lsuv", 1)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize("start", ["he", "glorot", "orthogonal", "lsuv"])
def test_gates_begin_carrying_whatever_the_start(start: Scheme):
    net = started(highway(8, 4), start)
    biases = {value for conv in convs(net) if conv.bias is not None for value in conv.bias.tolist()}
    assert biases == {0.0, -2.0}


def variances(start: Scheme, depth: int = 26) -> list[float]:
    return list(layer_variances(started(plain(depth, 3, 16, norm="none"), start), X).values())


def test_variance_fades_faster_with_glorot_than_with_he_and_not_with_lsuv():
    # He's fades too: on small maps much of what a conv sees is padding
    assert variances("glorot")[-2] * 100 < variances("he")[-2] < 1
    assert variances("lsuv") == pytest.approx([1.0] * 26, abs=0.05)


def test_layer_variances_name_every_layer_and_leave_the_net_alone():
    for design in (fused(8, 5, 3, 4, "gate"), merge_run(8, 4), fused(8, 5, 0, 4)):
        net = build(design).train()
        before = {name: value.clone() for name, value in net.state_dict().items()}
        found = layer_variances(net, X)
        assert list(found) == [layer.name for layer in layers(design) if isinstance(layer.node, Conv | Head)]
        assert net.training and all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def mean_weights(net: FusedNet, fusion: str) -> Tensor:
    join = net.body.get_submodule(fusion).join
    source = net.trace(X)[1]["stem"]
    return join.weights(source).mean((0, 2, 3, 4))  # pyright: ignore[reportCallIssue]


def test_branch_weights_are_those_that_the_joins_use():
    net = build(highway(8, 4)).eval()
    found = branch_weights(net, X)
    assert list(found) == [f"fusion{n}" for n in range(1, 7)]
    assert list(found["fusion1"].values()) == pytest.approx(mean_weights(net, "fusion1").tolist(), rel=1e-5)
    assert all(sum(row.values()) == pytest.approx(1, abs=1e-5) for row in found.values())
    assert all(row["deep"] < 0.3 for row in found.values()), "gates begin nearly closed"
    assert branch_weights(build(fused(8, 5, 3, 4)), X) == {}
    assert branch_weights(build(fused(8, 5, 3, 4, "weighted")), X)["fusion2"] == {"deep": 1.0, "shallow": 1.0}
    for join in ("adaptive", "inverse-variance"):
        assert sum(branch_weights(build(fused(8, 5, 3, 4, join)), X)["fusion3"].values()) == pytest.approx(1)


@pytest.mark.parametrize("dark", [False, True])
def test_figures_hold_the_numbers(dark: bool):
    measured = {start: layer_variances(started(plain(8, 3, 4), start), X) for start in ("he", "lsuv")}
    figure = json.loads(str(figures.layer_variances(measured, dark).to_json()))
    assert [line["name"] for line in figure["data"]] == ["he", "lsuv"]
    assert [line["y"] for line in figure["data"]] == [list(values.values()) for values in measured.values()]
    assert figure["layout"]["yaxis"]["type"] == "log"
    shared = figures.layer_variances({"he": measured["he"]}, dark, bounds=(0.01, 100)).layout.yaxis.range
    assert shared == figures.layer_variances(measured, dark, bounds=(0.01, 100)).layout.yaxis.range
    assert shared[0] < -2 and shared[1] > 2
    first, *_, last = measured["lsuv"].values()
    said = figures.layer_variances_alt(measured)
    assert f"lsuv: {first:.3g} at the first layer" in said and f"{last:.3g} at the end" in said
    weights = branch_weights(dfn.build(highway(8, 4)), X)
    assert f"fusion1: deep {weights['fusion1']['deep']:.2f}, shallow" in figures.branch_weights_alt(weights)
    lines = json.loads(str(figures.branch_weights(weights, dark).to_json()))["data"]
    assert [line["name"] for line in lines] == ["deep", "shallow"]
    assert lines[0]["y"] == [row["deep"] for row in weights.values()]
