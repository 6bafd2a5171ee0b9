"""The attribution methods as facts: formula, source, cost, and what each of them cannot say. No torch in here.

Letters: x the image or map that is explained, x' its baseline, f the logit of the target, i a number of x, A^k channel
k of a map, y one number of a map. Layer-wise relevance propagation is not offered: on a fused net with batch norm its
values come nowhere near the logit (measured with Captum 0.9: 2560 for a logit of -0.18).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from dfn.design.nodes import Fusion, MergeRun, Node, Pool, Series
from dfn.design.spec import Design
from dfn.words import N_

Options = Mapping[str, Any]
PlaceKind = Literal["input", "map"]
Values = Literal["amount", "slope", "relevance"]
"""What a value is: its share of the logit, the logit's change for a change of x by one, or neither of these."""

STEPS = 50
MOST_STEPS = 1600


@dataclass(frozen=True)
class Unit:
    """One number of a map: channel, row and column of the map with this name in a trace."""

    at: str
    channel: int
    row: int
    column: int

    def __str__(self) -> str:
        return f"unit ({self.channel}, {self.row}, {self.column}) of {self.at}"


@dataclass(frozen=True)
class Passes:
    """Forward and backward passes through the net for one image."""

    forward: int
    backward: int


@dataclass(frozen=True)
class Method:
    """One attribution method. `options` are its settings with their defaults, `cost(options, shape)` its passes for
    what is explained having `shape` (channels, rows, columns); `places` says whether it explains the image, a map or
    both; with `completeness` its values sum to f(x) - f(x'). `exact_relu` marks a rule that holds where ReLU is the
    only bend: not through max, gates and max pooling."""

    title: str
    formula: str
    source: str
    says: str
    places: tuple[PlaceKind, ...]
    values: Values
    completeness: bool
    cost: Callable[[Options, tuple[int, ...]], Passes]
    options: Options = field(default_factory=dict)
    exact_relu: bool = False


def misfit(method: Method, design: Design) -> str | None:
    """What in a net a method cannot deal with, such as `a gate`; None where there is nothing."""
    if not method.exact_relu:
        return None
    return N_("group norm") if design.norm == "group" else _bend(design.body)


def _bend(node: Node) -> str | None:
    match node:
        case Pool(mode="max"):
            return N_("max pooling")
        case Fusion(join="max"):
            return N_("a max join")
        case Fusion(join="gate"):
            return N_("a gate join")
        case Fusion(join="adaptive"):
            return N_("an adaptive join")
        case Fusion():
            children: tuple[Node, ...] = node.branches
        case MergeRun():
            children = sum(node.steps, ())
        case Series():
            children = node.nodes
        case _:
            children = ()
    return next(filter(None, map(_bend, children)), None)


def windows(options: Options, shape: tuple[int, ...]) -> tuple[int, int]:
    """The side of the occluding square and its stride, by default a quarter of the map and half the square; a square
    is no larger than the map, and squares leave no gaps."""
    side = min(options["window"] or max(1, min(shape[1:]) // 4), *shape[1:])
    return side, min(options["stride"] or max(1, side // 2), side)


def _occlusion_cost(options: Options, shape: tuple[int, ...]) -> Passes:
    side, stride = windows(options, shape)
    count = 1
    for length in shape[1:]:
        count *= 1 + -(-(length - side) // stride)
    return Passes(1 + count, 0)


def cell_side(options: Options, shape: tuple[int, ...]) -> int:
    """The side of the cells that are taken away together, by default a quarter of the map; 0 stands for channels."""
    return max(1, min(shape[1:]) // 4) if options["cell"] is None else options["cell"]


def _ablation_cost(options: Options, shape: tuple[int, ...]) -> Passes:
    side = cell_side(options, shape)
    if not side:
        return Passes(1 + shape[0], 0)
    rows, columns = (-(-length // side) for length in shape[1:])
    return Passes(1 + rows * columns, 0)


def _one(options: Options, shape: tuple[int, ...]) -> Passes:
    return Passes(1, 1)


def _two(options: Options, shape: tuple[int, ...]) -> Passes:
    return Passes(2, 2)


def _by_steps(options: Options, shape: tuple[int, ...]) -> Passes:
    steps = options["steps"] or STEPS
    return Passes(steps, steps)


def _by_samples(options: Options, shape: tuple[int, ...]) -> Passes:
    return Passes(options["samples"], options["samples"])


_ANYWHERE: tuple[PlaceKind, ...] = ("input", "map")

METHODS: dict[str, Method] = {
    "saliency": Method(
        N_("Saliency"),
        r"\left|\frac{\partial f}{\partial x_i}\right|",
        "arXiv 1312.6034",
        N_(
            "Where a tiny change would move the logit most, not what the logit is made of; where a ReLU is shut it "
            "sees nothing, however much a larger change would do."
        ),
        _ANYWHERE,
        "slope",
        False,
        _one,
    ),
    "input_x_gradient": Method(
        N_("Input x gradient"),
        r"x_i \frac{\partial f}{\partial x_i}",
        "arXiv 1605.01713",
        N_(
            "The logit's linear part at this image. Where x is 0 it is 0; the biases' part is left out, so the values "
            "need not sum to the logit."
        ),
        _ANYWHERE,
        "amount",
        False,
        _one,
    ),
    "integrated_gradients": Method(
        N_("Integrated gradients"),
        r"(x_i - x'_i) \int_0^1 \frac{\partial f\left(x' + \alpha (x - x')\right)}{\partial x_i}\, d\alpha",
        "arXiv 1703.01365",
        N_(
            "How the difference to the baseline is shared out; another baseline tells another story, and what lies "
            "between the two may be no image that the net was trained on."
        ),
        _ANYWHERE,
        "amount",
        True,
        _by_steps,
        {"steps": None, "baseline": None},
    ),
    "smoothgrad": Method(
        N_("SmoothGrad"),
        r"\frac{1}{n} \sum_{s=1}^{n} \frac{\partial f(x + \varepsilon_s)}{\partial x_i},\quad "
        r"\varepsilon_s \sim \mathcal{N}(0, \sigma^2)",
        "arXiv 1706.03825",
        N_(
            "The gradient averaged over the neighbourhood; it looks calmer, but the amount of noise is a choice and "
            "no axiom says what the values add up to."
        ),
        _ANYWHERE,
        "slope",
        False,
        _by_samples,
        {"samples": 25, "noise": 0.15, "seed": 0},
    ),
    "deep_lift": Method(
        N_("DeepLIFT"),
        r"C_{\Delta x_i \Delta f} = m_{\Delta x_i \Delta f}\, \Delta x_i,\quad \sum_i C_{\Delta x_i \Delta f} = "
        r"\Delta f \quad \text{(rescale rule)}",
        "arXiv 1704.02685",
        N_(
            "The difference to the baseline by finite differences at every ReLU. Two nets that compute the same may "
            "get different values, and it holds for nets of convs, sums and ReLU only."
        ),
        _ANYWHERE,
        "amount",
        True,
        _two,
        {"baseline": None},
        exact_relu=True,
    ),
    "guided_backprop": Method(
        N_("Guided backprop"),
        r"R^{l} = \mathbb{1}[z^{l} > 0]\, \mathbb{1}[R^{l+1} > 0]\, R^{l+1} \quad \text{at every ReLU}",
        "arXiv 1412.6806",
        N_(
            "Sharp edges that come to a large part from the image: with random weights behind it the picture can stay "
            "much the same (arXiv 1810.03292). Not a gradient of the net."
        ),
        _ANYWHERE,
        "relevance",
        False,
        _one,
    ),
    "occlusion": Method(
        N_("Occlusion"),
        r"\frac{1}{|W_i|} \sum_{w \ni i} \left( f(x) - f(x \text{ with } x' \text{ in } w) \right)",
        "arXiv 1311.2901",
        N_(
            "What the logit loses when a square is covered. Two places that can stand in for one another both look "
            "unimportant, and a covered image is one that the net has never seen."
        ),
        _ANYWHERE,
        "amount",
        False,
        _occlusion_cost,
        {"window": None, "stride": None, "baseline": None},
    ),
    "feature_ablation": Method(
        N_("Feature ablation"),
        r"f(x) - f(x \text{ with } x' \text{ in group } g),\quad i \in g",
        N_("textbook; Captum's FeatureAblation"),
        N_(
            "What the logit loses without a whole cell, or without a whole channel where `cell` is 0; groups that "
            "stand in for one another all look unimportant."
        ),
        _ANYWHERE,
        "amount",
        False,
        _ablation_cost,
        {"cell": None, "baseline": None},
    ),
    "grad_cam": Method(
        N_("Grad-CAM"),
        r"\mathrm{ReLU}\Big( \sum_k \alpha_k A^k \Big),\quad \alpha_k = \frac{1}{Z} \sum_{p} "
        r"\frac{\partial f}{\partial A^k_p}",
        "arXiv 1610.02391",
        N_(
            "Coarse: one weight per channel, wherever in the map it counts, and only evidence for the class. It has "
            "the grain of the map that it is taken at."
        ),
        ("map",),
        "relevance",
        False,
        _one,
        {"relu": True, "upsample": False},
    ),
    "layer_conductance": Method(
        N_("Layer conductance"),
        r"\sum_i (x_i - x'_i) \int_0^1 \frac{\partial f}{\partial y}\frac{\partial y}{\partial x_i}\, d\alpha",
        "arXiv 1805.12233",
        N_(
            "How much of the integrated gradients of the image flows through each number y of the map; like these it "
            "depends on the baseline."
        ),
        ("map",),
        "amount",
        True,
        _by_steps,
        {"steps": None, "baseline": None},
    ),
    "internal_influence": Method(
        N_("Internal influence"),
        r"\int_0^1 \frac{\partial f\left(x' + \alpha (x - x')\right)}{\partial y}\, d\alpha",
        "arXiv 1802.03788",
        N_(
            "How much f reacts to y on the way from the baseline, whether or not y itself changes on that way; the "
            "values sum to nothing in particular."
        ),
        ("map",),
        "slope",
        False,
        _by_steps,
        {"steps": STEPS, "baseline": None},
    ),
}
