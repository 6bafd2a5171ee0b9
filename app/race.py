"""Who races: the fused net and, by tick, the nets that it is honest to set beside it. No drawing here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dfn.design.spec import Design
from dfn.training.comparisons import CONTROLS, Frame, fused_recipe, label, methods
from dfn.training.recipe import Recipe
from dfn.words import _

RIVALS = tuple(methods()[name].title for name in CONTROLS)
USUAL = ("plain deep", "plain shallow", "ResNet")
"""The rivals that are ticked until somebody chooses others."""

FURTHER = {
    method.title: f"{method.family}: {method.title}"
    for method in sorted(methods().values(), key=lambda method: method.family)
    if method.name not in ("fused", *CONTROLS)
}
"""The titles of all other methods, each with how it is listed: one family after another."""

NAMES = {method.title: method.name for method in methods().values()}
LISTED = {NAMES[title]: listed for title, listed in (dict(zip(RIVALS, RIVALS, strict=True)) | FURTHER).items()}
"""Every method but the fused net, by name: how it is listed, the controls first."""

_FREE_ROLES = ("extra1", "extra2", "deep")


@dataclass(frozen=True)
class Runner:
    """One net in the race: its recipe, the name at its curve, and the role that gives it its colour. `before` names
    the net that has to wait for this one and learns from it."""

    recipe: Recipe
    label: str
    role: str
    before: str = ""


def frame_of_rivals(design: Design, bases: Sequence[int], fusions: int, width: int) -> Frame:
    """What the other methods are made from, to be nets of the same depths and width as this one."""
    return Frame(tuple(bases), fusions, width, design.classes, design.in_channels)


def line_up(
    design: Design, bases: Sequence[int], fusions: int, width: int, rivals: Sequence[str], settings: dict[str, Any]
) -> list[Runner]:
    """The fused net first, then the rivals (titles of methods) in a fixed order; `settings` are those of their common
    recipe. A net that learns from another one has that one before it.

    All see the same data in the same order from the same seed. Raises RecipeError for settings that cannot be.
    """
    frame = frame_of_rivals(design, bases, fusions, width)
    recipe = fused_recipe(design, settings)
    runners = [Runner(recipe, label(recipe), recipe.net)]
    by_title = {method.title: method for method in methods().values()}
    further = 0
    for title in (*RIVALS, *FURTHER):
        method = by_title[title]
        if title not in rivals:
            continue
        recipe = method.make(frame, settings)
        for first in method.first(frame, settings):
            if first.net == "plain":  # the shallow base network, in its own colour
                name, role = label(first), "shallow"
            else:
                name, role = (
                    _("{label}, before it grew").format(label=label(first)),
                    _FREE_ROLES[further % len(_FREE_ROLES)],
                )
                further += 1
            _enter(runners, Runner(first, name, role, before=label(recipe)))
        role = method.role or _FREE_ROLES[further % len(_FREE_ROLES)]
        further += method.role is None
        _enter(runners, Runner(recipe, label(recipe), role))
    return runners


def _enter(runners: list[Runner], runner: Runner) -> None:
    """The same recipe races once."""
    if runner.recipe.id not in {other.recipe.id for other in runners}:
        runners.append(runner)
