"""Who races: the fused net and, by tick, the nets that it is honest to set beside it. No drawing here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dfn.design.spec import Design
from dfn.training.comparisons import Frame, label, methods
from dfn.training.recipe import Recipe

CONTROLS = ("plain-deep", "plain-shallow", "resnet", "late", "decision")
RIVALS = tuple(methods()[name].title for name in CONTROLS)


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
    frame = Frame(tuple(bases), fusions, width, design.classes, design.in_channels)
    if fusions:
        recipe, role = Recipe(design=design, net="fused", **settings), "fused"
    else:
        recipe, role = Recipe(design=design, net="decision", objective="mean-of-losses", **settings), "decision"
    runners = [Runner(recipe, label(recipe), role)]
    for name in CONTROLS:
        method = methods()[name]
        recipe = method.make(frame, settings)
        if method.title in rivals and recipe.id not in {runner.recipe.id for runner in runners}:
            runners.append(Runner(recipe, label(recipe), method.role or recipe.net))
    return runners
