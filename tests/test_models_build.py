"""A built net is the net of its design: shapes, cost, graph, names and seeds."""

from collections import Counter
from copy import deepcopy
from typing import get_args

import pytest
import torch
from hypothesis import given, settings
from strategies import designs
from torch import Tensor, nn

import dfn
from dfn.design.nodes import LOGIT_JOINS, Conv, Fusion, Head, Join, Pool, Series, Tap, View
from dfn.design.picture import edges
from dfn.design.spec import Design
from dfn.models.build import Chain, Fused, FusedNet, MergeAndRun, Named, build

JOINS = get_args(Join)
BATCH = 4


def zoo() -> Design:
    """A design with everything that the catalogue leaves out."""

    def series(*nodes):
        return Series(nodes=nodes)

    seen = (series(View(view="edges"), Tap(name="forward")), series(View(view="full"), series()), series())
    inner = Fusion(branches=(series(Conv(channels=6), Tap(name="name")), series(Conv(channels=6, kernel=5))))
    strided = Fusion(
        branches=(
            series(Conv(channels=5, stride=2), Pool(mode="max", kernel=3, stride=1), series()),
            series(Pool(kernel=3, stride=2), Conv(channels=5, kernel=1, dropout=0.2)),
            series(Conv(channels=5, kernel=1, stride=2, projection=True)),
        ),
        join="gate",
        drop_path=0.3,
    )
    mixed = Fusion(
        branches=(
            series(Conv(channels=4), View(view="low-pass")),
            series(Conv(channels=4), inner, Conv(channels=2)),
            series(),
        ),
        join="concat",
    )
    deepest = Fusion(branches=(series(series(Conv(channels=4), inner)), series(Conv(channels=6))), join="max")
    nets = tuple(series(Conv(channels=n), Tap(name="seen"), Head(dropout=0.1)) for n in (3, 4, 5))
    body = series(
        Fusion(branches=seen, join="mean", relu="before"),
        Conv(channels=4),
        Tap(name="head"),
        mixed,
        series(Conv(channels=6), Pool(mode="max"), Tap(name="training")),
        strided,
        deepest,
        Conv(channels=6),
        Fusion(branches=nets, join="max"),
    )
    return Design(body=body, classes=5, in_channels=2)


def scaled_down() -> Design:
    """A residual net whose deep blocks count a fifth."""
    nodes = dfn.catalogue()["resnet"].make(depth=8, width=4).body.nodes
    body = [n.model_copy(update={"scales": (0.2, 1.0)}) if isinstance(n, Fusion) else n for n in nodes]
    return Design(body=Series(nodes=tuple(body)))


def cases() -> dict[str, Design]:
    found = {f"catalogue-{name}": entry.make(width=4) for name, entry in dfn.catalogue().items()}
    found |= {f"join-{join}": dfn.fused(14, 5, 3, 4, join) for join in JOINS}
    found |= {f"before-{join}": dfn.fused(8, 2, 3, 4, join, relu="before") for join in JOINS}
    found |= {f"F{f}": dfn.fused(12, 7, f, 4) for f in range(8)}
    found |= {f"bases3-{join}": dfn.fused(bases=[9, 6, 2], fusions=4, width=4, join=join) for join in JOINS}
    found |= {f"drops-{join}": dfn.fused(8, 5, 3, 4, join, dropout=0.3, drop_path=0.4) for join in JOINS}
    found |= {f"votes-{join}": dfn.fused(8, 5, 0, 4, join) for join in LOGIT_JOINS if join != "max"}
    found |= {f"norm-{norm}": dfn.fused(8, 5, 3, 12, norm=norm) for norm in ("group", "none")}
    return found | {
        "scaled": scaled_down(),
        "bases4": dfn.fused(bases=[8, 6, 4, 2], fusions=3, width=4),
        "bases4-decision": dfn.fused(bases=[8, 6, 4, 2], fusions=0, width=4),
        "bare": dfn.fused(8, 5, 3, 4, norm="none"),
        "bare-gate": dfn.fused(8, 2, 3, 4, "gate", norm="none", relu="before"),
        "shallowest": dfn.fused(2, 2, 3, 4),
        "plain-shallowest": dfn.catalogue()["plain"].make(depth=2, fusions=1, width=4),
        "one-channel": dfn.fused(8, 5, 3, 1, in_channels=1, classes=2),
        "fractal-drops": dfn.catalogue()["fractal"].make(width=4, drop_path=0.5),
        "zoo": zoo(),
        "streams3": dfn.catalogue()["merge-run"].make(depth=9, width=4, streams=3, end="concat"),
    }


CASES = cases()
every_design = pytest.mark.parametrize("design", CASES.values(), ids=CASES.keys())


def images(design: Design, *size: int, batch: int = BATCH) -> Tensor:
    height, width = size or (8, 8)
    return torch.randn(batch, design.in_channels, height, width, generator=torch.Generator().manual_seed(1))


@every_design
def test_forward_and_gradients(design: Design):
    net = build(design).train()
    logits = net(images(design))
    assert logits.shape == (BATCH, design.classes)
    logits.logsumexp(1).sum().backward()
    for name, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name


@pytest.mark.medium
@settings(max_examples=40, deadline=None)
@given(designs())
def test_random_designs(design: Design):
    test_cost_is_what_the_net_costs(design)
    test_picture_has_an_edge_for_every_dependency_and_no_other(design)
    test_every_relu_is_its_own_and_nothing_happens_in_place(design)
    test_groups_hold_every_parameter_once(design)


@every_design
def test_cost_is_what_the_net_costs(design: Design):
    net = build(design).eval()
    x = images(design, 13, 8, batch=1)
    told = dfn.cost(design, (design.in_channels, 13, 8))
    macs = 0

    def count(module: nn.Module, inputs: tuple, output: Tensor) -> None:
        nonlocal macs
        assert isinstance(module, nn.Conv2d | nn.Linear)
        macs += module.weight.numel() * (output.shape[-2:].numel() if output.dim() == 4 else 1)

    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(count)
    _, trace = net.trace(x)
    assert told.parameters == sum(p.numel() for p in net.parameters())
    assert told.macs == macs
    assert {n: tuple(t.shape[1:]) for n, t in trace.items() if n in told.shapes} == {
        n: s for n, s in told.shapes.items() if n in trace
    }
    taps_and_joins = {n for n, module in named_maps(net).items() if isinstance(module, Named | Fused)}
    assert taps_and_joins <= told.shapes.keys() & trace.keys()


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (7, 5), (16, 9)])
@pytest.mark.parametrize("name", ["catalogue-fused", "join-gate", "join-concat", "catalogue-inception", "zoo", "F2"])
def test_odd_sizes(name: str, size: tuple[int, int]):
    net = build(CASES[name]).train()
    logits, trace = net.trace(images(CASES[name], *size))
    told = dfn.cost(CASES[name], (CASES[name].in_channels, *size)).shapes
    assert logits.isfinite().all()
    assert all(tuple(t.shape[1:]) == told[n] for n, t in trace.items() if n in told)


@every_design
def test_picture_has_an_edge_for_every_dependency_and_no_other(design: Design):
    assert set(edges(design)) == dependencies(build(design).train(), images(design))
    assert len(set(edges(design))) == len(edges(design))


def dependencies(net: FusedNet, x: Tensor) -> set[tuple[str, str]]:
    """(map, map that is computed from it without another named map in between), as autograd's graph has it."""
    x.requires_grad_()
    _, trace = net.trace(x)
    owner = {t.grad_fn: name for name, t in trace.items()}
    found = set()
    for name, t in trace.items():
        assert t.grad_fn is not None
        waiting, seen = [function for function, _ in t.grad_fn.next_functions], set()
        while waiting:
            function = waiting.pop()
            if function is None or function in seen:
                continue
            seen.add(function)
            if function in owner:
                found.add((owner[function], name))
            elif getattr(function, "variable", None) is x:
                found.add(("input", name))
            else:
                waiting += [before for before, _ in function.next_functions]
    return found


@every_design
def test_every_relu_is_its_own_and_nothing_happens_in_place(design: Design):
    net = build(design).train()
    calls: Counter[nn.Module] = Counter()
    for module in net.modules():
        module.register_forward_hook(lambda module, *_: calls.update([module]))
    logits = net(images(design))
    assert set(calls.values()) == {1}
    relus = [module for module in net.modules() if isinstance(module, nn.ReLU)]
    assert not any(relu.inplace for relu in relus)
    names = [name for name, _ in net.named_modules(remove_duplicate=False)]
    assert len(names) == len(list(net.modules()))

    waiting, functions = [logits.grad_fn], set()
    while waiting:
        function = waiting.pop()
        if function is not None and function not in functions:
            functions.add(function)
            waiting += [before for before, _ in function.next_functions]
    assert sum(function.name() == "ReluBackward0" for function in functions) == len(relus)


def named_maps(net: FusedNet) -> dict[str, nn.Module]:
    """Which module gives which named map, found by walking the modules."""
    found: dict[str, nn.Module] = {}
    for path, module in net.named_modules():
        if isinstance(module, Fused | MergeAndRun):
            found[f"{module.name}/joined"] = module
        elif isinstance(module, Named) or (
            isinstance(module, Chain) and path.rpartition(".")[0].endswith(("branches", "blocks"))
        ):
            found[module.name] = module
    return found


@pytest.mark.medium
@every_design
@pytest.mark.parametrize("training", [False, True], ids=["eval", "train"])
def test_trace_is_what_forward_computes(design: Design, training: bool):
    net = build(design).train(training)
    x, seen, before = images(design), {}, deepcopy(build(design).state_dict())
    for name, module in named_maps(net).items():
        module.register_forward_hook(lambda _, __, output, name=name: seen.update({name: output}))
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        logits = net(x)
    hooked = dict(seen)
    net.load_state_dict(before)  # variances that ran along would weigh the branches anew
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        again, trace = net.trace(x)
    assert torch.equal(again, logits) and torch.equal(trace["logits"], logits)
    assert hooked.keys() <= trace.keys()
    assert all(torch.equal(trace[name], t) for name, t in hooked.items())


@every_design
def test_groups_hold_every_parameter_once(design: Design):
    net = build(design)
    grouped = [p for group in net.parameter_groups().values() for p in group]
    assert sorted(map(id, grouped)) == sorted(map(id, net.parameters()))
    assert all(net.parameter_groups().values())


def test_groups_stand_from_stem_to_head():
    fused = build(dfn.fused(8, 5, 3, 4, "gate"))
    blocks = [f"fusion{n}/{part}" for n in (1, 2, 3) for part in ("deep", "shallow", "join")]
    assert list(fused.parameter_groups()) == ["stem", *blocks, "head"]
    plain = build(dfn.catalogue()["plain"].make(depth=8, fusions=3, width=4))
    assert list(plain.parameter_groups()) == ["stem", "block1", "block2", "block3", "head"]


def test_same_seed_same_bits_and_nobody_notices():
    torch.manual_seed(7)
    before = torch.get_rng_state()
    design = dfn.fused(8, 5, 3, 4, "gate", dropout=0.1)
    first, again, other = (build(design, seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], again[name]) for name in first)
    changed = {name for name in first if not torch.equal(first[name], other[name])}
    assert changed == {name for name in first if name.endswith("weight") and "norm" not in name}


def test_weights_begin_as_the_groups_code_has_them():
    net = build(dfn.fused(14, 8, 3, 64, "gate"))
    for module in net.modules():
        match module:
            case nn.Conv2d():
                fan_in = module.weight[0].numel()
                assert module.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.1)
                assert module.bias is None or set(module.bias.tolist()) == {-2.0}
            case nn.Linear():
                bound = module.in_features**-0.5
                assert 0.9 * bound < module.weight.abs().max() <= bound
                assert not module.bias.any()
            case nn.BatchNorm2d():
                assert (module.eps, module.momentum) == (2e-5, 0.1)


def test_last_conv_of_a_branch_ends_in_its_norm_where_the_relu_follows_the_join():
    def ends(relu: str, *behind) -> list[str]:
        branch = Series(nodes=(Conv(channels=4), Conv(channels=4), *behind))
        fusion = Fusion(branches=(branch, Series()), relu=relu)  # pyright: ignore[reportArgumentType]
        net = build(Design(body=Series(nodes=(Conv(channels=4), fusion, Head()))))
        convs = [m for m in net.get_submodule("body.fusion1.branches.deep").modules() if type(m) is nn.Sequential]
        return [list(conv._modules)[-1] for conv in convs]

    assert ends("after") == ends("after", Tap(name="seen"), Series()) == ["relu", "norm"]
    assert ends("after", Pool(kernel=3, stride=1), Series(nodes=(View(view="edges"),))) == ["relu", "norm"]
    assert ends("before") == ["relu", "relu"]
