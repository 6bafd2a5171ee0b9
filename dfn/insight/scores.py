"""Numbers beside an attribution's picture: does it say what the net does, hold still, point at the object, and depend
on the weights at all? None of them proves a picture right; each can show it wrong.

They are for values shaped like the image. The completeness gap comes with the attribution itself.
"""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import torch
from captum.metrics import infidelity as captum_infidelity
from captum.metrics import sensitivity_max
from torch import Tensor
from torch.nn.functional import interpolate

from dfn.design.errors import whole
from dfn.insight.attribution import Attribution, attribute, baseline_of
from dfn.insight.methods import METHODS, STEPS, Unit
from dfn.insight.subject import Target, checked_images, checked_target, own_copy, refusal
from dfn.models.build import FusedNet

Order = Literal["deletion", "insertion"]

BATCH = 64


def infidelity(
    net: FusedNet, x: Tensor, attribution: Attribution, samples: int = 32, share: float = 0.1, seed: int = 0
) -> Tensor:
    """How badly the values of the image predict what the logit loses when random pixels go, (N,), in squared units of
    the logit; 0 is perfect. The mean over `samples` draws of (predicted - lost)^2, with the prediction scaled so that
    it fits best; in each draw every pixel goes to the attribution's baseline with the chance `share`.

    Amounts are predicted to be lost with their pixels, slopes times what the pixels change by. Raises ValueError,
    also for methods whose values are neither. (Infidelity of arXiv 1901.09392; Captum's, with `normalize`.)
    """
    kind = METHODS[attribution.method].values
    if attribution.at != "input" or isinstance(attribution.target, Unit) or kind == "relevance":
        raise refusal("attribution", f"{attribution.method} at {attribution.at}", "amounts or slopes of an image")
    if not 0 < share < 1:
        raise refusal("share", share, "a number between 0 and 1")
    copy, x, target = _subject(net, x, attribution.target)
    base = baseline_of(copy, x, attribution.options.get("baseline"))
    generator = torch.Generator().manual_seed(seed)

    def perturb(inputs: Tensor, baselines: Tensor) -> tuple[Tensor, Tensor]:
        gone = torch.rand((len(inputs), 1, *inputs.shape[2:]), generator=generator).to(inputs) < share
        change = (inputs - baselines) * gone
        return (gone.expand_as(inputs).to(inputs) if kind == "amount" else change), inputs - change

    with torch.no_grad():
        return captum_infidelity(
            copy,
            perturb,  # pyright: ignore[reportArgumentType]
            x,
            _like(attribution.values, x),
            baselines=base,
            target=target,
            n_perturb_samples=whole("samples", samples, 1, 1000),
            max_examples_per_batch=len(x) * min(samples, max(1, BATCH // len(x))),
            normalize=True,
        )


def sensitivity(
    net: FusedNet,
    x: Tensor,
    target: Target,
    method: str,
    samples: int = 8,
    radius: float = 0.02,
    seed: int = 0,
    **options: Any,
) -> Tensor:
    """By how much the values change at most when the image changes a little, (N,), as a share of their norm: the
    largest over `samples` changes of at most `radius` in every pixel. One attribution for each of them. Raises
    ValueError. (Max-sensitivity of arXiv 1901.09392; Captum's sensitivity_max.)"""
    copy, x, target = _subject(net, x, target)
    generator = torch.Generator().manual_seed(seed)

    def perturb(inputs: Tensor) -> tuple[Tensor, ...]:
        return (inputs + (torch.rand(inputs.shape, generator=generator).to(inputs) * 2 - 1) * radius,)

    def explain(inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        (images,) = inputs
        wanted = target.repeat_interleave(len(images) // len(target))
        return (attribute(copy, images, wanted, method, **options).values,)

    return sensitivity_max(
        explain,  # pyright: ignore[reportArgumentType]
        (x,),  # pyright: ignore[reportArgumentType]
        perturb,
        n_perturb_samples=whole("samples", samples, 1, 1000),
        max_examples_per_batch=len(x) * min(samples, max(1, BATCH // len(x))),
    )


@dataclass(frozen=True, eq=False)
class Curve:
    """The probability of the class (N, steps + 1) while a share (steps + 1,) of the pixels is taken away, or put in,
    the most important first; `area` (N,) under it: small is good for deletion, large for insertion."""

    shares: Tensor
    probability: Tensor
    area: Tensor


def pixel_curve(
    net: FusedNet, x: Tensor, target: Target, values: Tensor, order: Order = "deletion", steps: int = 20
) -> Curve:
    """Take pixels away from the image in the order of their values (summed over colours), or put them into an empty
    one; taken away means zero, the mean colour. Raises ValueError. (Deletion and insertion of arXiv
    1806.07421.)"""
    if order not in ("deletion", "insertion"):
        raise refusal("order", order, "deletion or insertion")
    copy, x, target = _subject(net, x, target)
    ranks = _like(values, x).sum(1).flatten(1).argsort(dim=1, descending=True).argsort(dim=1)
    pixels = ranks.shape[1]
    shares = torch.linspace(0, 1, whole("steps", steps, 1, 1000) + 1)
    found = []
    with torch.no_grad():
        for share in shares.tolist():
            taken = (ranks < round(share * pixels)).view(len(x), 1, *x.shape[2:])
            seen = ~taken if order == "deletion" else taken
            found.append(copy(x * seen).softmax(1).gather(1, target[:, None])[:, 0])
    probability = torch.stack(found, 1).cpu()
    return Curve(shares, probability, torch.trapezoid(probability, shares, dim=1))


@dataclass(frozen=True, eq=False)
class Pointing:
    """Whether the largest value of each image lies on the object, bool (N,); `rate` is how often, and `chance` how
    often a pixel drawn at random would."""

    hits: Tensor
    rate: float
    chance: float


def pointing(values: Tensor, masks: Tensor) -> Pointing:
    """The pointing game (arXiv 1608.00507, here without a margin): `values` (N, C, h, w), summed over
    channels and brought to the size of `masks`, bool (N, H, W). Raises ValueError."""
    if values.dim() != 4 or masks.dim() != 3 or masks.dtype != torch.bool or len(values) != len(masks):
        raise refusal("masks", tuple(masks.shape), f"a bool tensor ({len(values)}, H, W) beside values (N, C, h, w)")
    heat = values.detach().sum(1, keepdim=True)
    if heat.shape[2:] != masks.shape[1:]:
        heat = interpolate(heat, tuple(masks.shape[1:]), mode="bilinear", align_corners=False)
    largest = heat.flatten(1).argmax(1, keepdim=True).to(masks.device)
    hits = masks.flatten(1).gather(1, largest)[:, 0]
    return Pointing(hits, hits.double().mean().item(), masks.double().mean().item())


def hit_rates(
    net: FusedNet,
    x: Tensor,
    labels: Target,
    masks: Tensor,
    methods: Sequence[str],
    at: str = "input",
    on_progress: Callable[[int, int], bool | None] | None = None,
) -> dict[str, Pointing]:
    """The pointing game of several methods over the same images, each explained for its own class. Only the largest
    value counts, so integration takes no more than its first steps. `on_progress` counts the images of all methods;
    where it returns False the rest is left out. Raises ValueError."""
    wanted = checked_target(net, labels, len(x))
    found: dict[str, Pointing] = {}
    for number, method in enumerate(methods):
        options: dict[str, Any] = {"steps": STEPS} if "steps" in METHODS[method].options else {}
        values = []
        for done in range(len(x)):
            one = slice(done, done + 1)
            values.append(attribute(net, x[one], wanted[one], method, at, **options).values)
            if on_progress is not None and on_progress(number * len(x) + done + 1, len(methods) * len(x)) is False:
                return found
        found[method] = pointing(torch.cat(values), masks)
    return found


def randomisation(
    net: FusedNet,
    x: Tensor,
    target: Target | Unit,
    method: str = "integrated_gradients",
    at: str = "input",
    *,
    seed: int = 0,
    on_progress: Callable[[int, int], bool | None] | None = None,
    **options: Any,
) -> dict[str, float]:
    """How alike the picture stays while the weights are shuffled, place by place from the classifier to the stem: the
    rank correlation of |values| with those of the net as it is, from 1 (the same) to 0 (nothing in common), averaged
    over images. A method that stays near 1 does not explain the weights (arXiv 1810.03292).

    The entries of each weight tensor are shuffled, which keeps their size, so that no new batch-norm statistics are
    needed. `on_progress` counts the places; where it returns False the rest is left out. Raises ValueError.
    """
    shuffled = own_copy(net)
    before = attribute(net, x, target, method, at, **options).values
    generator = torch.Generator().manual_seed(seed)
    groups = list(reversed(shuffled.parameter_groups().items()))
    found: dict[str, float] = {}
    for done, (place, parameters) in enumerate(groups, start=1):
        for parameter in parameters:
            order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
            parameter.data = parameter.data.flatten()[order].view_as(parameter)
        after = attribute(deepcopy(shuffled), x, target, method, at, **options).values
        found[place] = rank_correlation(before.abs(), after.abs())
        if on_progress is not None and on_progress(done, len(groups)) is False:
            break
    return found


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's rank correlation of two pictures, (N, ...) each, averaged over the N; equal values share the mean of
    their ranks; 0 where one of them is flat."""
    found = []
    for one, other in zip(a.flatten(1).double(), b.flatten(1).double(), strict=True):
        ranks = torch.stack([_ranks(one), _ranks(other)])
        ranks = ranks - ranks.mean(1, keepdim=True)
        size = ranks[0].norm() * ranks[1].norm()
        found.append(float(ranks[0] @ ranks[1] / size) if size > 0 else 0.0)
    return sum(found) / len(found)


def _ranks(values: Tensor) -> Tensor:
    _, group, counts = values.unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(0) - (counts - 1) / 2)[group]


def _subject(net: FusedNet, x: Tensor, target: Target) -> tuple[FusedNet, Tensor, Tensor]:
    copy = own_copy(net)
    x = checked_images(copy, x)
    return copy, x, checked_target(copy, target, len(x))


def _like(values: Tensor, x: Tensor) -> Tensor:
    if not isinstance(values, Tensor) or values.shape != x.shape:
        shape = tuple(values.shape) if isinstance(values, Tensor) else values
        raise refusal("values", shape, f"values shaped like the images, {tuple(x.shape)}")
    return values.detach().to(x)
