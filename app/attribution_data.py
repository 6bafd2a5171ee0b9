"""What the Attribution page asks and what it gets: places, methods that fit, and pictures as plain numbers. No drawing
and no cache.

Torch and Captum are loaded by the functions that need them, so that the page stands before they are there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from picked import Picked

from dfn.design.spec import Design
from dfn.insight.maps import Place, reach
from dfn.insight.methods import METHODS, Method, Unit, misfit
from dfn.words import N_, _

if TYPE_CHECKING:
    from dfn.data import Dataset
    from dfn.insight.attribution import Attribution
    from dfn.models.build import FusedNet

Tell = Callable[[int, int], None]
Heat = NDArray[np.float64]

INPUT = "input"
GAP_ALLOWED = 0.01
NEVER_NEGATIVE = ("saliency", "grad_cam")
UNITS = {"amount": N_("of {what}"), "slope": N_("of {what} for a change by 1")}


@dataclass(frozen=True)
class Asked:
    """Everything that one picture depends on: the run's folder, the epoch, the image, the method, the name of the map
    (or `input`), and the class or the unit of a map that is explained."""

    folder: str
    epoch: int
    image: Picked
    method: str
    at: str
    target: int | Unit

    @property
    def question(self) -> tuple[str | int, ...]:
        """The same in words and numbers, the image by its pixels."""
        target = str(self.target) if isinstance(self.target, Unit) else self.target
        return self.folder, self.epoch, self.image.key, self.method, self.at, target

    @property
    def explained(self) -> str:
        """What the values are shares of."""
        return _("the unit") if isinstance(self.target, Unit) else _("the logit")


@dataclass(frozen=True, eq=False)
class Picture:
    """An answer: the values of one image summed over channels (h, w), and the attribution itself."""

    heat: Heat
    attribution: "Attribution"

    @property
    def gap(self) -> float | None:
        """The completeness gap as a share of the change of the logit; None where there is no axiom."""
        return None if self.attribution.gap is None else float(self.attribution.gap[0])

    @property
    def change(self) -> float | None:
        """By how much the logit differs from that of the baseline."""
        return None if self.attribution.change is None else float(self.attribution.change[0])

    @property
    def total(self) -> float:
        """The sum of all values."""
        return float(self.heat.sum())


@dataclass(frozen=True, eq=False)
class Parts:
    """Integrated gradients by branch: the values (h, w) through each block and of the whole, and the residual."""

    parts: dict[str, Heat]
    whole: Heat
    residual: float


def spots(place: Place) -> dict[str, str]:
    """Where a picture can be taken, by what it is called here: the image, each block of a place, what they join to."""
    found = {INPUT: INPUT, **dict(zip(place.lanes, place.blocks, strict=True))}
    return found | ({"joined" if place.join else "map": place.joined} if place.joined else {})


def fitting(at: str, design: Design) -> tuple[list[str], dict[str, list[str]]]:
    """The methods for a place of a net, and those that are not offered by the reason why."""
    kind = "input" if at == INPUT else "map"
    found, refused = [], {}
    for name, method in METHODS.items():
        if kind not in method.places:
            refused.setdefault(_("only for maps") if kind == "input" else _("only for the image"), []).append(name)
        elif bend := misfit(method, design):
            refused.setdefault(_("no right rule for {part}, which this net has").format(part=_(bend)), []).append(name)
        else:
            found.append(name)
    return found, refused


def explain(net: "FusedNet", images: "Dataset", asked: Asked, tell: Tell) -> Picture:
    """The picture that is asked for; raises ValueError."""
    from dfn.insight.attribution import attribute

    found = attribute(net, asked.image.seen(images), asked.target, asked.method, asked.at, on_progress=tell)
    return Picture(found.values[0].double().sum(0).numpy(), found)


def explain_by_branch(net: "FusedNet", images: "Dataset", asked: Asked, fusion: int, tell: Tell) -> Parts:
    """Integrated gradients of the image through each block of a fusion; raises ValueError."""
    from dfn.insight.branches import attribute_by_branch

    found = attribute_by_branch(net, asked.image.seen(images), asked.target, fusion, on_progress=tell)
    parts = {lane: part[0].double().sum(0).numpy() for lane, part in found.parts.items()}
    return Parts(parts, found.whole.values[0].double().sum(0).numpy(), found.residual)


def alike(a: Picture, b: Picture) -> float | None:
    """The rank correlation of |values|, None where the two have different shapes."""
    import torch

    from dfn.insight.scores import rank_correlation

    if a.heat.shape != b.heat.shape:
        return None
    return rank_correlation(*(torch.from_numpy(np.abs(picture.heat))[None] for picture in (a, b)))


@dataclass(frozen=True)
class Scale:
    """One scale for all pictures beside each other: it ends at `end`, in `unit`. With `each` every picture is divided
    by its own greatest |value| before, because their units differ."""

    end: float
    unit: str
    signed: bool
    each: bool = False

    def of(self, heat: Heat) -> Heat:
        """The values as they are drawn."""
        return heat / (np.abs(heat).max() or 1.0) if self.each else heat


def common_scale(shown: list[tuple[str, Heat]], explained: str) -> Scale:
    """The scale for pictures by these methods, whose values are shares of what is explained."""
    kinds = {METHODS[method].values for method, _heat in shown}
    signed = any(method not in NEVER_NEGATIVE for method, _heat in shown)
    if len(kinds) > 1 or "relevance" in kinds:
        return Scale(1.0, _("of the largest value in its picture"), signed, each=True)
    return Scale(reach([heat for _method, heat in shown]), _(UNITS[kinds.pop()]).format(what=explained), signed)


def cost_words(method: Method, shape: tuple[int, ...]) -> str:
    """What one picture costs, in passes through the net."""
    passes = method.cost(method.options, shape)
    if method.options.get("steps", 0) is None:
        text = _(
            "{forward} forward and {backward} backward passes for one image, and up to 32 times as many where the gap "
            "stays above 1 %"
        )
    elif passes.backward:
        text = _("{forward} forward and {backward} backward passes for one image")
    else:
        return _("{forward} forward passes for one image").format(forward=passes.forward)
    return text.format(forward=passes.forward, backward=passes.backward)
