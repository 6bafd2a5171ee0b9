"""Who is compared: nets that follow from the same few depths, each as a way from width and settings to a recipe."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle

from dfn.training.comparisons import CONTROLS, Frame, Method, Settings, label, methods
from dfn.training.recipe import Recipe, depths_text

USUAL = ("fused", *CONTROLS)
"""The fused net and the nets that it is honest to set beside it."""

FURTHER = ("extra1", "extra2")
"""The colours of nets that have none of their own, in turns; names tell them apart."""

Make = Callable[[int, Settings], Recipe]
First = Callable[[int, Settings], tuple[Recipe, ...]]


@dataclass(frozen=True)
class Contender:
    """One net of a comparison: the name that the shell uses, the name at its dots, and the role that gives it its
    colour. `make(width, settings)` gives its recipe, `first(width, settings)` those whose runs it starts from."""

    name: str
    label: str
    role: str
    make: Make
    first: First = lambda width, settings: ()


def from_methods(frame: Frame, names: Sequence[str]) -> list[Contender]:
    """The methods of these names, each once; a method that has no colour of its own takes one of the further ones.

    Raises KeyError for a name that no method has, DesignError or RecipeError for depths that one cannot have.
    """
    chosen = [methods()[name] for name in dict.fromkeys(names)]
    recipes = [method.make(frame, {}) for method in chosen]
    said = Counter(map(label, recipes))
    further = cycle(FURTHER)
    found = []
    for method, recipe in zip(chosen, recipes, strict=True):
        words = label(recipe)
        if said[words] > 1 and method.name != recipe.net:  # several methods may train one and the same net
            words = f"{method.title} {depths_text(recipe.design)}"
        found.append(_contender(frame, method, words, method.role or next(further)))
    return found


def _contender(frame: Frame, method: Method, words: str, role: str) -> Contender:
    return Contender(
        method.name,
        words,
        role,
        lambda width, settings: method.make(replace(frame, width=width), settings),
        lambda width, settings: method.first(replace(frame, width=width), settings),
    )
