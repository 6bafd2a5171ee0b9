"""Every method as a recipe: complete words, the same settings for all, and names that stay."""

import json
from pathlib import Path

import pytest

from dfn.design.catalogue import catalogue
from dfn.design.nodes import Join
from dfn.figures.theme import ROLES
from dfn.training.comparisons import Frame, Method, label, methods
from dfn.training.recipe import recipe_from_data

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
    assert [first.id for first in method.first(FRAME, SETTINGS)] == [recipe.teacher] * bool(recipe.teacher)


@pytest.mark.parametrize("method", methods().values(), ids=lambda method: method.name)
@pytest.mark.parametrize("fusions", [0, 1, 2, 5])
@pytest.mark.parametrize("join", ["sum", "gate", "concat"])
def test_every_method_stands_beside_any_fused_net(method: Method, fusions: int, join: Join) -> None:
    join = join if fusions else "sum"
    recipe = method.make(Frame((14, 9, 5), fusions, 4, 10, 1, join), SETTINGS | {"patience": 5})
    assert recipe.epochs == 2


def test_the_teacher_is_a_run_that_races_anyway() -> None:
    (teacher,) = methods()["fitnets"].first(FRAME, SETTINGS)
    assert teacher.id == methods()["plain-shallow"].make(FRAME, SETTINGS).id


def test_labels_tell_the_methods_of_one_net_apart() -> None:
    labels = {name: label(method.make(FRAME, SETTINGS)) for name, method in methods().items()}
    assert len(set(labels.values())) == len(labels)
    assert labels["resnet"] == "ResNet 14" and labels["companions"] == "plain 14, companions"
    assert labels["early-stopping"] == "fused 14 + 5, early stopping"


def test_runs_keep_the_ids_that_they_had() -> None:
    """Folders are named by them, and the recorded examples lie in such folders."""
    for folder in (Path(__file__).parents[1] / "assets" / "recorded").iterdir():
        assert recipe_from_data(json.loads((folder / "recipe.json").read_text())).id == folder.name


def test_no_two_methods_are_the_same_run() -> None:
    recipes = [method.make(FRAME, SETTINGS) for method in methods().values()]
    assert len({recipe.id for recipe in recipes}) == len(recipes)


def test_names_of_nets_are_those_of_the_catalogue() -> None:
    assert {method.make(FRAME, SETTINGS).net for method in methods().values()} <= set(catalogue())
