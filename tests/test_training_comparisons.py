"""Every method as a recipe: complete words, the same settings for all, and names that stay."""

import pytest

from dfn.design.catalogue import catalogue
from dfn.figures.theme import ROLES
from dfn.training.comparisons import Frame, Method, label, methods

FRAME = Frame((14, 5), 3, 4, classes=10, in_channels=1)
SETTINGS = {"data": "digits", "epochs": 2, "seed": 7}


@pytest.mark.parametrize("method", methods().values(), ids=lambda method: method.name)
def test_every_method_makes_a_recipe_and_says_what_it_is(method: Method) -> None:
    recipe = method.make(FRAME, SETTINGS)
    assert {name: getattr(recipe, name) for name in SETTINGS} == SETTINGS
    assert (recipe.design.classes, recipe.design.in_channels) == (10, 1)
    assert method.source and method.formula
    assert method.relation.count(". ") == 1 and method.relation.endswith("."), "two sentences"
    assert method.role is None or method.role in ROLES
    assert label(recipe)


def test_no_two_methods_are_the_same_run() -> None:
    recipes = [method.make(FRAME, SETTINGS) for method in methods().values()]
    assert len({recipe.id for recipe in recipes}) == len(recipes)


def test_names_of_nets_are_those_of_the_catalogue() -> None:
    assert {method.make(FRAME, SETTINGS).net for method in methods().values()} <= set(catalogue())
