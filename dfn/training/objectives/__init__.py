"""What is minimised: every objective behind one protocol, `dfn.training.objectives.objective.Objective`."""

from typing import assert_never

from dfn.models.build import FusedNet
from dfn.training.objectives.objective import CrossEntropy, Objective
from dfn.training.objectives.supervision import AuxiliaryPaths, CompanionLosses, LossesApart, SideOutputs
from dfn.training.objectives.transfer import Distillation, Hints
from dfn.training.recipe import Recipe, RecipeError

__all__ = ["Objective", "check_teacher", "objective_of"]


def objective_of(recipe: Recipe, shape: tuple[int, int, int], teacher: FusedNet | None = None) -> Objective:
    """The objective of a recipe for images of this shape (C, H, W). Raises RecipeError where its teacher is missing
    or tells other classes apart."""
    match recipe.objective:
        case "cross-entropy":
            return CrossEntropy()
        case "mean-of-losses" | "sum-of-losses":
            return LossesApart(mean=recipe.objective == "mean-of-losses")
        case "side-outputs":
            return SideOutputs()
        case "companion-losses":
            return CompanionLosses(recipe)
        case "auxiliary-paths":
            return AuxiliaryPaths()
        case "distillation":
            return Distillation(recipe, check_teacher(recipe, teacher))
        case "fitnets":
            return Hints(recipe, check_teacher(recipe, teacher), shape)
        case _:
            assert_never(recipe.objective)


def check_teacher(recipe: Recipe, teacher: FusedNet | None) -> FusedNet:
    """The teacher, where it is one for this recipe. Raises RecipeError."""
    wanted = (recipe.design.in_channels, recipe.design.classes)
    if teacher is None:
        raise RecipeError(
            f"recipe.teacher: {recipe.teacher} without its net is not accepted; accepted: the trained net of that "
            "recipe beside this one, `dfn.Training(recipe, teacher=net)`"
        )
    found = (teacher.design.in_channels, teacher.design.classes)
    if found != wanted:
        raise RecipeError(
            f"recipe.teacher: a net of {found[0]} channels and {found[1]} classes is not accepted; accepted: "
            f"{wanted[0]} channels and {wanted[1]} classes, as the design has"
        )
    return teacher
