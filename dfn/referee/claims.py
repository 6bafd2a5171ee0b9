"""The claims of the docs, as data: which nets, which training, how many seeds, and what has to come out.

`dfn reproduce NAME` trains one and says whether it holds. A claim is about the small experiment that it describes, and
the honest controls are part of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dfn.data.info import data_sets
from dfn.design.catalogue import fused
from dfn.referee.budget import Budget
from dfn.referee.contenders import Contender, from_methods
from dfn.referee.judge import Accuracies, difference
from dfn.training.comparisons import Frame
from dfn.training.recipe import PRESETS, Recipe


@dataclass(frozen=True)
class Check:
    """`one` is at least `least` above `other` (accuracies from 0 to 1): with every seed, in the mean over them, or in
    the whole 95 % interval of that mean."""

    one: str
    other: str
    least: float
    over: Literal["every seed", "mean", "interval"]

    def holds(self, nets: Mapping[str, Accuracies]) -> bool:
        found = difference(nets[self.one], nets[self.other])
        if found is None:
            return False
        match self.over:
            case "every seed":
                return min(found.by_seed.values()) >= self.least
            case "mean":
                return found.mean >= self.least
            case "interval":
                return found.interval is not None and found.interval[0] >= self.least

    def words(self, labels: Mapping[str, str]) -> str:
        """`fused 52 + 14 is at least 40 points above plain 52, with every seed`"""
        over = _OVER[self.over]
        one, other, points = labels[self.one], labels[self.other], 100 * abs(self.least)
        amount = f"{points:g} point{'' if points == 1 else 's'}"
        if self.least < 0:  # the other way round it is a bound from above
            return f"{other} is at most {amount} above {one}, {over}"
        return f"{one} is at least {amount} above {other}, {over}" if points else f"{one} is above {other}, {over}"


_OVER = {"every seed": "with every seed", "mean": "in the mean", "interval": "with 95 % confidence"}


@dataclass(frozen=True)
class Claim:
    """A named experiment. The first contender is the one that the others are set beside. Without checks it is an open
    question: nobody has claimed anything yet."""

    name: str
    says: str
    contenders: Sequence[Contender]
    checks: tuple[Check, ...]
    width: int
    settings: dict[str, Any]
    seeds: int = 3
    budget: Budget = "epochs"
    notes: str = ""


def claims() -> dict[str, Claim]:
    """Every claim by name."""
    found = (_trainability(), _fusions(), _without_norm(), _kalman())
    found += (_cifar10("short", "patient"), _cifar10("group", "group"))
    return {claim.name: claim for claim in found}


DEEP, SHALLOW, FUSIONS, WIDTH = 52, 14, 6, 16
_CLASSROOM = PRESETS["classroom"].settings | {"data": "digits"}


def _frame(data: str = "digits", bases: tuple[int, ...] = (DEEP, SHALLOW)) -> Frame:
    info = data_sets()[data]
    return Frame(bases, FUSIONS, WIDTH, len(info.classes), info.shape[0])


def _fused(name: str, label: str, role: str = "fused", **shape: Any) -> Contender:
    """A fused net that differs from the claim's own in these settings."""
    frame = _frame()

    def make(width: int, settings: dict[str, Any]) -> Recipe:
        given = {"fusions": FUSIONS, **frame.shape, "width": width} | shape
        return Recipe(design=fused(bases=frame.bases, **given), net="fused", **settings)

    return Contender(name, label, role, make)


def _trainability() -> Claim:
    controls = ("plain-shallow", "resnet", "late")
    return Claim(
        "trainability-digits",
        "Fused with a shallow base network, a deep net trains in five epochs in which alone it hardly leaves chance. "
        "The fused net is not better than its shallow base, a ResNet or late fusion on these small images.",
        from_methods(_frame(), ("fused", "plain-deep", *controls)),
        (
            Check("fused", "plain-deep", 0.4, "every seed"),
            *(Check(control, "fused", -0.01, "mean") for control in controls),
        ),
        WIDTH,
        _CLASSROOM,
        notes="digits has 360 test images: one image is 0.28 points.",
    )


def _fusions() -> Claim:
    counts = {3: "extra1", 6: "fused", 12: "extra2"}
    fused_nets = [_fused(f"fusions-{count}", f"F = {count}", role, fusions=count) for count, role in counts.items()]
    return Claim(
        "fusions-digits",
        "Three, six and twelve fusions all make the deep net trainable. More of them are not better: "
        "twelve are behind three.",
        [*fused_nets, *from_methods(_frame(), ("late", "plain-deep"))],
        (
            *(Check(f"fusions-{count}", "plain-deep", 0.4, "every seed") for count in counts),
            Check("fusions-3", "fusions-12", 0.0, "interval"),
        ),
        WIDTH,
        _CLASSROOM,
        notes="All fuse base networks of 52 and 14 layers; late fusion is F = 1.",
    )


def _without_norm() -> Claim:
    return Claim(
        "nobn-scale",
        "Without batch norm a part of the fused net's trainability is the scale of its join: the sum lets the variance "
        "grow at every fusion. Divided by the root of the number of base networks, or averaged, the net falls back.",
        [
            _fused("sum", "sum, no batch norm", norm="none"),
            _fused("root", "sum / √2, no batch norm", "extra1", norm="none", scales=(2**-0.5,) * 2),
            _fused("mean", "mean, no batch norm", "extra2", norm="none", join="mean"),
            _fused("sum-norm", "sum, batch norm", "plain"),
        ],
        (
            Check("sum", "root", 0.0, "mean"),
            Check("sum", "mean", 0.0, "interval"),
            Check("sum-norm", "sum", 0.0, "mean"),
        ),
        WIDTH,
        _CLASSROOM,
        seeds=8,
        notes="Without batch norm seeds differ widely; read every one of them.",
    )


def _kalman() -> Claim:
    return Claim(
        "kalman-digits",
        "Is fusion a Kalman filter? A filter weighs measurements by the inverse variances of their errors. Weighed by "
        "the inverse variances of all that its blocks say, the only ones at hand, the fused net is not better than "
        "with the paper's plain sum, and behind one whose weights are learned.",
        [
            _fused("inverse-variance", "inverse-variance", join="inverse-variance"),
            _fused("sum", "sum", "extra1"),
            _fused("mean", "mean", "extra2", join="mean"),
            _fused("weighted", "learned weights", "plain", join="weighted"),
        ],
        (
            Check("sum", "inverse-variance", -0.01, "mean"),
            Check("weighted", "inverse-variance", 0.0, "interval"),
        ),
        WIDTH,
        _CLASSROOM,
        seeds=5,
        notes="Weights of a mean and of inverse variances sum to one, those of a sum to the number of base networks.",
    )


def _cifar10(name: str, preset: str) -> Claim:
    """The question that the digits leave open, with one of the presets."""
    settings = PRESETS[preset].settings | {"data": "cifar10"}
    return Claim(
        f"cifar10-{name}",
        "An open question: with harder images and longer training, is the fused net better than its shallow base, a "
        f"ResNet or late fusion? {settings['epochs']} epochs of CIFAR-10 for every net and seed, which wants a GPU.",
        from_methods(_frame("cifar10", (34, 14)), ("fused", "plain-deep", "plain-shallow", "resnet", "late")),
        (),
        WIDTH,
        settings,
        notes=f"Preset: {PRESETS[preset].title}. Depths count the stem and the classifier.",
    )
