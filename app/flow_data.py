"""What the Flow page measures: how strong the gradient is on its way back, along which paths it came, and what each
base network can do alone. No drawing and no cache.

Torch is loaded by the functions that need it, so that the page stands before it is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from picked import Picked, numbered_image
from race import Runner, line_up

from dfn.design.nodes import Conv, Fusion
from dfn.design.paths import path_spectrum
from dfn.design.spec import Design
from dfn.training.recipe import OWN_TO_A_METHOD, Recipe

if TYPE_CHECKING:
    from torch import Tensor

    from dfn.data import Dataset
    from dfn.insight.gradients import Flow
    from dfn.models.build import FusedNet

MOST_BYTES = 64_000_000
MOST_IMAGES = 32

MOST_JUDGED = 500

Asked = tuple[tuple[Picked, int], ...]  # images, each with the class whose gradient is looked at
Rows = dict[str, dict[str, float]]
Curves = dict[str, tuple[list[int], list[float]]]


@dataclass(frozen=True)
class Lengths:
    """The gradient by path length: the norm of each part by depth, from the deepest, and of the whole gradient (means
    over the images), and the norm of what the parts miss of autograd's gradient, relative to it."""

    parts: dict[int, float]
    whole: float
    residual: float


@dataclass(frozen=True)
class Joint:
    """Test accuracies, from 0 to 1, of a fused net and of every base network alone inside it, by name."""

    fused: float
    alone: dict[str, float]


def batch_of(activation_bytes: int) -> int:
    """How many images a backward pass may keep in memory at once."""
    return max(1, min(MOST_IMAGES, MOST_BYTES // max(1, activation_bytes)))


def first_images(images: "Dataset", count: int) -> Asked:
    """The first so many test images, each with its class."""
    return tuple((numbered_image(images, number), int(images.test.labels[number])) for number in range(count))


def companions(recipe: Recipe, rivals: Sequence[str]) -> list[Runner]:
    """Nets to set beside a fused one, with the same data, recipe and seed, each as the Train page would enter it; none
    where the net is not one of base networks fused block by block."""
    design = recipe.design
    stem, fusions = design.body.nodes[0], sum(isinstance(node, Fusion) for node in design.body.nodes)
    if recipe.net not in ("fused", "late") or not isinstance(stem, Conv) or not fusions:
        return []
    depths = path_spectrum(design)
    settings = {name: getattr(recipe, name) for name in Recipe.model_fields if name not in OWN_TO_A_METHOD}
    return line_up(design, (max(depths), min(depths)), fusions, stem.channels, rivals, settings)[1:]


def asked_images(images: "Dataset", asked: Asked) -> "tuple[Tensor, Tensor]":
    """The images that are asked for, normalised, and the class of each."""
    import torch

    return torch.cat([picked.seen(images) for picked, _ in asked]), torch.tensor([label for _, label in asked])


def some_images(images: "Dataset", numbers: Sequence[int]) -> "tuple[Tensor, Tensor]":
    """These test images, normalised, and their true classes."""
    return images.normalise(images.test.images[list(numbers)]), images.test.labels[list(numbers)]


def measure_lengths(net: "FusedNet", x: "Tensor", target: "Tensor") -> Lengths:
    """The gradient of the true class's logit in the image, by the lengths of the paths along which it came."""
    import torch

    from dfn.insight.gradients import gradient_by_length
    from dfn.insight.subject import own_copy

    parts = gradient_by_length(net, x, target)
    image = x.clone().requires_grad_()
    logits = own_copy(net)(image).gather(1, target[:, None])
    (whole,) = torch.autograd.grad(logits.sum(), image)

    def norm(gradient: "Tensor") -> float:
        return gradient.flatten(1).norm(dim=1).mean().item()

    missed = norm(torch.stack(list(parts.values())).sum(0) - whole)
    size = norm(whole)
    return Lengths({depth: norm(part) for depth, part in parts.items()}, size, missed / size if size else missed)


def calibration(data: str, size: int | None, train_limit: int | None, test_limit: int | None) -> "list[Tensor]":
    """The training images over which batch norm's statistics are averaged, as in training."""
    import torch

    from dfn.data import load_data
    from dfn.training.evaluate import CALIBRATION_IMAGES, calibration_images

    whole = load_data(data, size=size, train_limit=train_limit, test_limit=test_limit)
    return calibration_images(whole, CALIBRATION_IMAGES, torch.device("cpu"))


def measure_joint(net: "FusedNet", batches: "list[Tensor]", images: "Dataset", count: int) -> Joint:
    """What the net and each of its base networks alone, with statistics of its own, call right of the first `count`
    test images."""
    import torch

    from dfn.insight.lesions import alone
    from dfn.insight.subject import own_copy, top_fusions
    from dfn.training.evaluate import evaluate, recalibrate

    part = replace(images, test=images.test.take(torch.arange(count)))

    def accuracy(net: "FusedNet") -> float:
        return evaluate(net, part, torch.device("cpu")).accuracy

    found = {}
    for lane in top_fusions(net)[0].branches if top_fusions(net) else ():
        single = alone(net, lane)
        recalibrate(single, batches)
        found[lane] = accuracy(single)
    return Joint(accuracy(own_copy(net)), found)


def gradient_rows(flow: "Flow") -> Rows:
    """The norms from stem to last place by their short name (`stem`, `1`, `2`): in one row, or one for each net inside
    where whole nets are joined."""
    rows: Rows = {}
    for name, value in flow.places.items():
        prefix, _, own = name.rpartition("/")
        if own == "joined":
            prefix, own = "", prefix
        if own == "stem" or own.startswith(("block", "fusion")):
            rows.setdefault(prefix, {})[short(own)] = value
    inside = {prefix: row for prefix, row in rows.items() if prefix and "/" in prefix}
    return inside or {"": rows.get("", {})}


def weight_norms(records: Iterable[Mapping[str, Any]]) -> Curves:
    """From a run's records the gradient of the weights by place, from stem to last: steps and norms. The branches of a
    fusion count as one place (norms add as squares)."""
    curves: Curves = {}
    for record in records:
        if record["event"] != "norms":
            continue
        squares: dict[str, float] = {}
        for name, value in record["gradient"].items():
            place = short(name.partition("/")[0])
            squares[place] = squares.get(place, 0.0) + value**2
        for place, square in squares.items():
            steps, norms = curves.setdefault(place, ([], []))
            steps.append(record["step"])
            norms.append(square**0.5)
    curves.pop("head", None)
    return curves


def short(name: str) -> str:
    """`fusion3` and `block3` as `3`."""
    return name.removeprefix("fusion").removeprefix("block")


def shares(design: Design) -> dict[int, float]:
    """The share of the paths that has each depth."""
    spectrum = path_spectrum(design)
    total = sum(spectrum.values())
    return {depth: count / total for depth, count in spectrum.items()}
