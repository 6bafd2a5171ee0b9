"""Every method as a recipe: a structure, an objective, a start and a regulariser, set beside the fused net.

A method says how it follows from the same few depths that make the fused net, so that all of them can race on the
same data, in the same order, from the same seed. No torch here: pages and the shell make recipes at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from dfn.design.catalogue import Status, fused, plain, resnet
from dfn.design.nodes import Join
from dfn.training.recipe import Recipe, depths_text

Family = Literal["fusion", "base network", "shortcut", "supervision", "transfer", "views", "regulariser", "start"]

Settings = dict[str, Any]
"""Settings of a recipe that all methods of a comparison share: data, epochs, seed and so on."""

_DFN = "Wang, Wei, Zhang, Zeng: Deeply-Fused Nets, arXiv 1605.07716"


@dataclass(frozen=True)
class Frame:
    """What makes the fused net of a comparison: the depths of its base networks, the number of fusions, the width of
    the first stage, the join, and the images."""

    bases: tuple[int, ...]
    fusions: int
    width: int
    classes: int
    in_channels: int
    join: Join = "sum"

    @property
    def deep(self) -> int:
        return max(self.bases)

    @property
    def shallow(self) -> int:
        return min(self.bases)

    @property
    def shape(self) -> dict[str, Any]:
        """The settings that every named design takes."""
        return {"width": self.width, "classes": self.classes, "in_channels": self.in_channels}


@dataclass(frozen=True)
class Method:
    """A method of the paper's world. `make(frame, settings)` gives its recipe; `first(frame, settings)` the recipes
    whose runs it starts from (a teacher), which have to be done before. `relation` says in two sentences how it
    stands to deep fusion and `formula` is TeX; `role` names its colour, None for one of the further nets."""

    name: str
    title: str
    family: Family
    source: str
    status: Status
    relation: str
    formula: str
    make: Callable[[Frame, Settings], Recipe]
    role: str | None = None
    first: Callable[[Frame, Settings], tuple[Recipe, ...]] = lambda frame, settings: ()


def methods() -> dict[str, Method]:
    """Every method by the name that the shell uses, the fused net first, then its controls."""
    return {method.name: method for method in _METHODS}


def label(recipe: Recipe) -> str:
    """What a recipe's net is called at its curve: `fused 50 + 14`, `ResNet 50`."""
    return f"{_SHOWN.get(recipe.net, recipe.net)} {depths_text(recipe.design)}"


_SHOWN = {"resnet": "ResNet"}


def _fused(frame: Frame, settings: Settings) -> Recipe:
    design = fused(bases=frame.bases, fusions=frame.fusions, join=frame.join, **frame.shape)
    return Recipe(design=design, net="fused", **settings)


def _plain(deep: bool) -> Callable[[Frame, Settings], Recipe]:
    def make(frame: Frame, settings: Settings) -> Recipe:
        depth = frame.deep if deep else frame.shallow
        return Recipe(design=plain(depth, frame.fusions or 3, **frame.shape), net="plain", **settings)

    return make


def _resnet(frame: Frame, settings: Settings) -> Recipe:
    return Recipe(design=resnet(frame.deep, **frame.shape), net="resnet", **settings)


def _late(frame: Frame, settings: Settings) -> Recipe:
    return Recipe(design=fused(bases=frame.bases, fusions=1, **frame.shape), net="late", **settings)


def _decision(frame: Frame, settings: Settings) -> Recipe:
    design = fused(bases=frame.bases, fusions=0, **frame.shape)
    return Recipe(design=design, net="decision", objective="mean-of-losses", **settings)


_METHODS = (
    Method(
        "fused",
        "deep fusion",
        "fusion",
        f"{_DFN}, section 2",
        "reconstruction",
        "The blocks of a deep and of a shallow base network are joined after every block. "
        "The joined map is the next input of both.",
        r"x_b = \mathrm{ReLU}\Big(\sum_k G_b^k(x_{b-1})\Big)",
        _fused,
        "fused",
    ),
    Method(
        "plain-deep",
        "plain deep",
        "base network",
        f"{_DFN}, section 2: the deep base network",
        "reconstruction",
        "The deep base network alone. Fusion adds short ways to it and leaves its blocks as they are.",
        r"x_b = G_b^{\mathrm{deep}}(x_{b-1})",
        _plain(deep=True),
        "plain",
    ),
    Method(
        "plain-shallow",
        "plain shallow",
        "base network",
        f"{_DFN}, section 2: the shallow base network",
        "reconstruction",
        "The shallow base network alone. On small data it is the control that a fused net has to be held against.",
        r"x_b = G_b^{\mathrm{shallow}}(x_{b-1})",
        _plain(deep=False),
        "shallow",
    ),
    Method(
        "resnet",
        "ResNet",
        "shortcut",
        "He, Zhang, Ren, Sun: Deep Residual Learning, arXiv 1512.03385",
        "paper",
        "A fused net whose shallow base network has depth 2: its blocks are identities. "
        "The paper counts it among the special cases of deep fusion.",
        r"x_b = \mathrm{ReLU}\big(x_{b-1} + G_b(x_{b-1})\big)",
        _resnet,
        "resnet",
    ),
    Method(
        "late",
        "late fusion",
        "fusion",
        f"{_DFN}, section 1: fusion of the final representations",
        "ours",
        "The same base networks, joined once, after the last stage. "
        "Nothing that one of them learns on the way reaches the other.",
        r"x = \mathrm{ReLU}\Big(\sum_k G_B^k\big(\cdots G_1^k(x_0)\big)\Big)",
        _late,
        "late",
    ),
    Method(
        "decision",
        "decision fusion",
        "fusion",
        f"{_DFN}, section 1: averaged predictors",
        "paper",
        "Whole nets that share nothing; only their logits are averaged. The mean of their losses trains them jointly.",
        r"y = \tfrac{1}{K}\sum_k y^k, \qquad L = \tfrac{1}{K}\sum_k L(y^k)",
        _decision,
        "decision",
    ),
)
