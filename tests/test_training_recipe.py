"""A recipe is checked at birth, survives JSON, and has an id that depends on what it says and nothing else."""

import json
from math import cos, pi
from typing import Any

import pytest

from dfn.design.catalogue import catalogue, fused
from dfn.design.errors import DesignError
from dfn.design.nodes import Conv, Fusion, Head, Series
from dfn.design.spec import Design
from dfn.training.recipe import (
    PRESETS,
    Recipe,
    RecipeError,
    depths_text,
    joins_logits,
    learning_rate,
    recipe_from_data,
    to_data,
)

DESIGN = fused(8, 5, 3, 4)
DECISION = fused(8, 5, 0, 4)

# for every field that counts, a value that is not its default
OTHERS: dict[str, Any] = {
    "design": fused(8, 5, 3, 5),
    "data": "cifar10",
    "size": 16,
    "train_limit": 100,
    "test_limit": 100,
    "epochs": 6,
    "batch_size": 32,
    "lr": 0.021,
    "schedule": "step",
    "warmup": 0.2,
    "momentum": 0.8,
    "weight_decay": 0.0,
    "augment": True,
    "objective": "mean-of-losses",
    "companion_share": 0.3,
    "teacher": "0123456789ab",
    "temperature": 2.0,
    "path_sgd": True,
    "patience": 3,
    "precision": "fp32",
    "start": "lsuv",
    "seed": 1,
}


# what a field needs beside it
BESIDE: dict[str, dict[str, Any]] = {
    "objective": {"design": DECISION},
    "companion_share": {"objective": "companion-losses"},
    "teacher": {"objective": "distillation"},
    "temperature": {"objective": "distillation", "teacher": "0" * 12},
}


def other(field: str) -> Recipe:
    return Recipe(**({"design": DESIGN} | BESIDE.get(field, {}) | {field: OTHERS[field]}))


def test_every_field_has_another_value_here():
    assert OTHERS.keys() == Recipe.model_fields.keys() - {"net"}


def test_id_ignores_defaults_and_the_name_of_the_net():
    recipe = Recipe(design=DESIGN)
    assert len(recipe.id) == 12 and set(recipe.id) <= set("0123456789abcdef")
    spelt_out = Recipe(**recipe.model_dump(exclude={"design"}), design=DESIGN)
    assert spelt_out.id == recipe.id == Recipe(design=DESIGN, net="other").id


def test_id_changes_with_everything_else():
    ids = {other(field).id for field in OTHERS} | {Recipe(design=DESIGN).id, Recipe(design=DECISION).id}
    assert len(ids) == len(OTHERS) + 2


def test_id_stays_what_it_was():
    # runs lie in folders named so: a change here makes every run of a learner a stranger
    assert Recipe(design=DESIGN).id == "d01cf3ab3c07"


@pytest.mark.parametrize("field", OTHERS)
def test_json_round_trip(field: str):
    recipe = other(field)
    data = json.loads(json.dumps(to_data(recipe)))
    assert data.keys() <= {"design", field, *BESIDE.get(field, {})}
    assert recipe_from_data(data) == recipe
    assert recipe_from_data(data).id == recipe.id


@pytest.mark.parametrize("name", catalogue())
def test_every_net_has_a_recipe(name: str):
    recipe = Recipe(design=catalogue()[name].make(width=4), net=name)
    assert recipe_from_data(to_data(recipe)) == recipe
    assert recipe.label.startswith(f"{name} ")


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("epochs", -1, "greater than or equal to 0"),
        ("epochs", 10_001, "less than or equal to 10000"),
        ("epochs", 2.0, "integer"),
        ("epochs", "3", "integer"),
        ("batch_size", 1, "greater than or equal to 2"),
        ("lr", 0.0, "greater than 0"),
        ("lr", float("nan"), "finite"),
        ("lr", float("inf"), "finite"),
        ("schedule", "linear", "cosine"),
        ("warmup", 1.0, "less than 1"),
        ("momentum", -0.1, "greater than or equal to 0"),
        ("weight_decay", 2.0, "less than or equal to 1"),
        ("size", 3, "greater than or equal to 4"),
        ("train_limit", 1, "greater than or equal to 2"),
        ("test_limit", True, "integer"),
        ("precision", "fp16", "bf16"),
        ("objective", "mse", "cross-entropy"),
        ("objective", "mean-of-losses", "a design that joins logits (fusions=0)"),
        ("objective", "sum-of-losses", "a design that joins logits (fusions=0)"),
        ("objective", "side-outputs", "a design with several classifiers"),
        ("objective", "distillation", "a `teacher`"),
        ("objective", "fitnets", "a `teacher`"),
        ("start", "net2net", "a `teacher`"),
        ("teacher", "0123456789ab", "only with the objective distillation or fitnets, or the start net2net"),
        ("teacher", "../../etc", "pattern"),
        ("temperature", 0.0, "greater than 0"),
        ("temperature", 2.0, "only with the objective distillation or fitnets"),
        ("companion_share", 0.0, "greater than 0"),
        ("companion_share", 0.2, "only with the objective companion-losses"),
        ("path_sgd", "perhaps", "boolean"),
        ("patience", 0, "greater than or equal to 1"),
        ("seed", -1, "greater than or equal to 0"),
        ("seed", 2**32, "less than"),
        ("data", "", "at least 1 character"),
        ("net", "Größe", "pattern"),
        ("augment", "perhaps", "boolean"),
        ("epoch", 3, "no such field"),
    ],
)
def test_what_cannot_be_is_refused_by_name(field: str, value: Any, accepted: str):
    with pytest.raises(RecipeError) as refused:
        Recipe(**{"design": DESIGN, field: value})
    message = str(refused.value)
    assert message.startswith(f"recipe.{field}: ")
    assert accepted in message.partition("accepted; accepted: ")[2]
    assert "\n" not in message and len(message) < 400


@pytest.mark.parametrize("value", [None, [], "text", {}, {"epochs": 3}])
def test_plain_data_without_a_design_are_refused(value: Any):
    with pytest.raises(RecipeError, match="no design"):
        recipe_from_data(value)


@pytest.mark.parametrize(
    ("design", "settings", "accepted"),
    [
        (fused(8, 5, 1, 4), {"objective": "companion-losses"}, "a design with a tap or a fusion before"),
        (fused(8, 5, 1, 4), {"objective": "fitnets", "teacher": "0" * 12}, "a design with a tap or a fusion before"),
        (fused(8, 5, 3, 4, "gate"), {"objective": "auxiliary-paths"}, "a chain of fusions"),
        (DECISION, {"objective": "auxiliary-paths"}, "a chain of fusions"),
        (catalogue()["fractal"].make(width=4), {"objective": "auxiliary-paths"}, "a chain of fusions"),
        (fused(8, 5, 3, 4, "gate"), {"path_sgd": True}, "a design whose joins are sum, mean or concat"),
        (fused(8, 5, 3, 4, "max"), {"path_sgd": True}, "a design whose joins are sum, mean or concat"),
    ],
)
def test_a_design_has_to_fit_its_objective(design: Design, settings: dict[str, Any], accepted: str):
    with pytest.raises(RecipeError, match=accepted):
        Recipe(design=design, **settings)


def test_a_label_says_what_sets_the_training_apart():
    recipe = Recipe(design=fused(8, 5, 3, 4, dropout=0.2, drop_path=0.1), path_sgd=True, patience=2, weight_decay=0.0)
    assert recipe.label == "fused 8 + 5, dropout, drop-path, no weight decay, Path-SGD, early stopping"
    assert other("companion_share").label == "fused 8 + 5, companions"


def test_a_design_that_is_none_is_refused():
    with pytest.raises(RecipeError, match=r"recipe\.design: 3 is not accepted"):
        Recipe(design=3)
    with pytest.raises(RecipeError, match=r"recipe\.design: nothing is not accepted"):
        Recipe()
    with pytest.raises(DesignError):
        recipe_from_data({"design": {"body": {"nodes": [{"kind": "nonsense"}]}}})


def test_a_recipe_does_not_change():
    with pytest.raises(ValueError, match="frozen"):
        Recipe(design=DESIGN).epochs = 3


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS.keys())
def test_presets_are_recipes(preset):
    assert Recipe(design=DESIGN, **preset.settings).model_dump().items() >= preset.settings.items()
    assert preset.title and preset.source


def test_the_groups_own_preset():
    group = Recipe(design=DESIGN, **PRESETS["group"].settings)
    assert (group.momentum, group.weight_decay, group.augment) == (0.9, 1e-4, True)
    steps = 400 * 10
    rates = [learning_rate(group, step, steps) for step in range(steps)]
    drops = [step for step in range(1, steps) if rates[step] != rates[step - 1]]
    assert rates[0] == 0.1 and drops == [2000, 3000, 3500]
    assert [rates[step] for step in drops] == pytest.approx([0.01, 0.001, 0.0001])


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.25])
def test_learning_rates(warmup: float):
    steps, lr = 40, 0.5
    warm = int(warmup * steps)
    for schedule in ("cosine", "step", "constant"):
        recipe = Recipe(design=DESIGN, lr=lr, warmup=warmup, schedule=schedule)
        rates = [learning_rate(recipe, step, steps) for step in range(steps)]
        assert rates[:warm] == pytest.approx([lr * (k + 1) / warm for k in range(warm)])
        for step in range(warm, steps):
            passed = [20, 30, 35]
            expected = {
                "constant": lr,
                "step": lr / 10 ** sum(step >= drop for drop in passed),
                "cosine": lr * (1 + cos(pi * (step - warm) / (steps - warm))) / 2,
            }
            assert rates[step] == pytest.approx(expected[schedule])


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("warmup", [0.0, 0.5, 0.99])
def test_the_shortest_runs_have_rates_too(steps: int, warmup: float):
    for schedule in ("cosine", "step", "constant"):
        recipe = Recipe(design=DESIGN, warmup=warmup, schedule=schedule)
        assert all(0 < learning_rate(recipe, step, steps) <= recipe.lr for step in range(steps))


def test_depths_and_labels():
    assert depths_text(fused(50, 14, 6, 4)) == "50 + 14"
    assert depths_text(fused(bases=[9, 6, 2], fusions=3, width=4)) == "9 + 6 + 2"
    assert depths_text(catalogue()["resnet"].make(depth=20, width=4)) == "20"
    assert depths_text(catalogue()["plain"].make(depth=20, width=4)) == "20"
    assert depths_text(catalogue()["fractal"].make(width=4)) == "14"
    assert Recipe(design=DESIGN).label == "fused 8 + 5"


def test_who_joins_logits():
    assert joins_logits(DECISION) and joins_logits(fused(bases=[8, 5, 4], fusions=0, width=4))
    assert not joins_logits(DESIGN) and not joins_logits(catalogue()["late"].make(width=4))
    nothing = Fusion(branches=(Series(), Series()))
    assert not joins_logits(Design(body=Series(nodes=(Conv(channels=4), nothing, Head()))))
