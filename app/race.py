"""Who races: the fused net and, by tick, the nets that it is honest to set beside it. No drawing here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dfn.design.catalogue import fused, plain, resnet
from dfn.design.spec import Design
from dfn.training.recipe import Recipe, depths_text

Rival = Literal["plain deep", "plain shallow", "ResNet", "late fusion", "decision fusion"]
RIVALS: tuple[Rival, ...] = ("plain deep", "plain shallow", "ResNet", "late fusion", "decision fusion")


@dataclass(frozen=True)
class Runner:
    """One net in the race: its recipe, the name at its curve, and the role that gives it its colour."""

    recipe: Recipe
    label: str
    role: str


def line_up(
    design: Design, bases: Sequence[int], fusions: int, width: int, rivals: Sequence[str], settings: dict[str, Any]
) -> list[Runner]:
    """The fused net first, then the rivals in a fixed order; `settings` are those of their common recipe.

    All see the same data in the same order from the same seed. Raises RecipeError for settings that cannot be.
    """
    shape: dict[str, Any] = {"width": width, "classes": design.classes, "in_channels": design.in_channels}
    deep, shallow = max(bases), min(bases)
    cut = fusions or 3
    runners = [_runner("decision" if fusions == 0 else "fused", design, settings)]
    made: dict[str, tuple[str, Design]] = {
        "plain deep": ("plain", plain(deep, cut, **shape)),
        "plain shallow": ("plain", plain(shallow, cut, **shape)),
        "ResNet": ("resnet", resnet(deep, **shape)),
        "late fusion": ("late", fused(bases=bases, fusions=1, **shape)),
        "decision fusion": ("decision", fused(bases=bases, fusions=0, **shape)),
    }
    for rival in RIVALS:
        net, rival_design = made[rival]
        runner = _runner(net, rival_design, settings)
        if rival in rivals and runner.recipe.id not in {r.recipe.id for r in runners}:
            role = "shallow" if rival == "plain shallow" else runner.role
            runners.append(Runner(runner.recipe, runner.label, role))
    return runners


def _runner(net: str, design: Design, settings: dict[str, Any]) -> Runner:
    objective = "mean-of-losses" if net == "decision" else "cross-entropy"
    recipe = Recipe(design=design, net=net, objective=objective, **settings)
    shown = {"resnet": "ResNet"}.get(net, net)
    return Runner(recipe, f"{shown} {depths_text(design)}", net)
