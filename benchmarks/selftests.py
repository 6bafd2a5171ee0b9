"""The self-tests that stand beside the pictures, on trained nets: digits (the recorded example), CIFAR-10 where it is
at hand, and the set whose objects are known.

Aims: a completeness gap of 1 % at most for every method with that axiom; parts by branch that miss at most 1e-4 of the
whole; parts by path length within 1e-5 of brute force over all paths, and of autograd's gradient together; hits in the
pointing game above those of a random pixel. The last one says what a method is worth on this net and is no bound on it.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from benchmarks.measure import Row
from dfn.data import Dataset
from dfn.data.info import data_sets
from dfn.design.catalogue import fused
from dfn.insight.attribution import attribute
from dfn.insight.branches import attribute_by_branch
from dfn.insight.gradients import gradient_by_length
from dfn.insight.methods import METHODS, misfit
from dfn.insight.scores import hit_rates
from dfn.insight.subject import top_fusions
from dfn.models.build import Fused, FusedNet
from dfn.runs.store import Store
from dfn.runs.weights import data_of, net_after
from dfn.runs.worker import work
from dfn.training.recipe import Recipe

RECORDED = Path(__file__).parents[1] / "assets" / "recorded"
IMAGES, POINTED_AT = 4, 48


def rows() -> Iterator[Row]:
    run = next(run for run in Store(RECORDED).runs() if run.recipe.net == "fused")
    yield from exact("digits", net_after(run), data_of(run))
    if data_sets()["cifar10"].available:
        yield from exact("cifar10", *trained("cifar10", 10, epochs=3, train_limit=2000, test_limit=200))
    net, data = trained("scales", 9, epochs=10)
    yield from exact("scales", net, data)
    yield from pointed(net, data)


def trained(name: str, classes: int, **settings: int) -> tuple[FusedNet, Dataset]:
    """A small fused net after a short training, as a run keeps it, and its images."""
    design = fused(14, 8, 3, width=8, classes=classes)
    with TemporaryDirectory() as folder:
        run = Store(Path(folder)).create(Recipe(design=design, data=name, seed=0, **settings))
        work([run])
        return net_after(run), data_of(run)


def exact(name: str, net: FusedNet, data: Dataset) -> Iterator[Row]:
    """Gaps of the methods that must add up, the residual by branch, and the parts by path length."""
    x, labels = data.normalise(data.test.images[:IMAGES]), data.test.labels[:IMAGES]
    middle = len(top_fusions(net)) // 2 + 1
    for method, facts in METHODS.items():
        if not facts.completeness or misfit(facts, net.design):
            continue
        for at in ("input", f"fusion{middle}/joined"):
            if ("input" if at == "input" else "map") in facts.places:
                gap = attribute(net, x, labels, method, at).gap
                assert gap is not None
                yield _at_most(f"{name}: gap of {method} at {at}", 100 * gap.max().item(), " %", 1)
    residual = max(attribute_by_branch(net, x, labels, fusion).residual for fusion in (1, middle))
    yield _at_most(f"{name}: parts by branch / the whole, missing", 1e4 * residual, "e-4", 1)
    by_length, whole = gradient_by_length(net, x, labels), gradient(net, x, labels)
    size = whole.norm()
    missing = (torch.stack(list(by_length.values())).sum(0) - whole).norm() / size
    yield _at_most(f"{name}: parts by path length / autograd, missing", 1e5 * missing.item(), "e-5", 1)
    brute = by_brute_force(net, x, labels)
    apart = max((brute[depth] - part).norm().item() for depth, part in by_length.items()) / size.item()
    yield _at_most(f"{name}: by path length, apart from brute force", 1e5 * apart, "e-5", 1)


def pointed(net: FusedNet, data: Dataset) -> Iterator[Row]:
    """The hit rate of every method of the image, beside its chance level."""
    assert data.test.masks is not None
    x, labels, masks = (part[:POINTED_AT] for part in (data.test.images, data.test.labels, data.test.masks))
    methods = [name for name, facts in METHODS.items() if "input" in facts.places and not misfit(facts, net.design)]
    for method, found in hit_rates(net, data.normalise(x), labels, masks, methods).items():
        rate, chance = 100 * found.rate, 100 * found.chance
        yield Row(f"scales: {method}, hits in the pointing game", rate, " %", f"> {chance:.0f} %", rate > chance)


def gradient(net: FusedNet, x: Tensor, labels: Tensor) -> Tensor:
    """Autograd's gradient of the true class's logit in the image."""
    x = x.clone().requires_grad_()
    (found,) = torch.autograd.grad(net(x).gather(1, labels[:, None]).sum(), x)
    return found


def by_brute_force(net: FusedNet, x: Tensor, labels: Tensor) -> dict[int, Tensor]:
    """The same along one path after another, gathered by length: at every fusion the other blocks are constants."""
    fusions = top_fusions(net)
    found: dict[int, Tensor] = {}
    depths = {join.name: [_depth(block) for block in join.branches.values()] for join in fusions}
    for choice in product(*(range(len(join.branches)) for join in fusions)):
        taken = dict(zip((join.name for join in fusions), choice, strict=True))
        leaf = x.clone().requires_grad_()
        h = leaf
        for module in net.body.children():
            if isinstance(module, Fused):
                own = taken[module.name]
                blocks = enumerate(module.branches.values())
                maps = [block(h) if lane == own else block(h).detach() for lane, block in blocks]
                h = module.relu(module.join(h, *maps))
            else:
                h = module(h)
        (part,) = torch.autograd.grad(h.gather(1, labels[:, None]).sum(), leaf)
        depth = 2 + sum(depths[name][lane] for name, lane in taken.items())
        found[depth] = found.get(depth, torch.zeros_like(x)) + part
    return found


def _depth(block: torch.nn.Module) -> int:
    """The layers of a block: its convs, but not a 1x1 that only adapts the shape."""
    return sum(isinstance(part, torch.nn.Conv2d) and part.kernel_size != (1, 1) for part in block.modules())


def _at_most(figure: str, value: float, unit: str, target: float) -> Row:
    return Row(figure, value, unit, f"<= {target:g}{unit}", value <= target)
