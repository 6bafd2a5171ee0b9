"""Objectives of a net that learns from another one, its teacher, which was trained before and does not change."""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from dfn.design.cost import cost
from dfn.models.build import FusedNet
from dfn.models.initialise import initialise
from dfn.training.objectives.objective import Objective
from dfn.training.places import places
from dfn.training.recipe import Recipe, RecipeError

FIRST_WEIGHT, LAST_WEIGHT = 4.0, 1.0
HINT_SHARE = 0.25


class Distillation(Objective):
    """H(y, P) + lambda H(P_T^tau, P^tau): the classes, and what the teacher says softened by the temperature tau
    (FitNets, arXiv 1412.6550). lambda falls linearly from 4 to 1, as there."""

    def __init__(self, recipe: Recipe, teacher: FusedNet):
        super().__init__()
        self.temperature = recipe.temperature
        self._teacher = (teacher.eval(),)  # in a tuple: its weights are no part of this objective's state

    @property
    def teacher(self) -> FusedNet:
        return self._teacher[0]

    def forward(self, net: FusedNet, x: Tensor, y: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        logits = net(x)
        with torch.no_grad():
            soft = (self.teacher(x).float() / self.temperature).softmax(1)
        weight = FIRST_WEIGHT + (LAST_WEIGHT - FIRST_WEIGHT) * progress
        taught = cross_entropy(logits.float() / self.temperature, soft)
        return cross_entropy(logits, y) + weight * taught, logits


class Hints(Distillation):
    """FitNets (arXiv 1412.6550): first a hint, then distillation.

    In the first quarter of the steps the student's middle map, through a conv without padding that brings it to the
    size and the channels of the teacher's middle map, is drawn to that map: 1/2 of the mean squared difference. Only
    the layers up to there learn meanwhile. The mean over the values, where the source has the sum, lets one learning
    rate serve maps of any size. `shape` is that of the images, (C, H, W).
    """

    def __init__(self, recipe: Recipe, teacher: FusedNet, shape: tuple[int, int, int]):
        super().__init__(recipe, teacher)
        self.guided, guided_channels, guided_side = _middle(recipe, shape)
        self.hint, hint_channels, hint_side = _middle(recipe.model_copy(update={"design": teacher.design}), shape)
        if guided_side < hint_side:
            raise RecipeError(
                f"recipe.teacher: a teacher whose middle map has {hint_side} pixels a side is not accepted; accepted: "
                f"at most {guided_side}, those of the student's"
            )
        self.regressor = nn.Conv2d(guided_channels, hint_channels, guided_side - hint_side + 1)
        initialise(self, seed=recipe.seed)

    def forward(self, net: FusedNet, x: Tensor, y: Tensor, progress: float) -> tuple[Tensor, Tensor]:
        if progress >= HINT_SHARE:
            return super().forward(net, x, y, (progress - HINT_SHARE) / (1 - HINT_SHARE))
        logits, trace = net.trace(x)
        with torch.no_grad():
            _, taught = self.teacher.trace(x)
        return mse_loss(self.regressor(trace[self.guided]).float(), taught[self.hint].float()) / 2, logits


def _middle(recipe: Recipe, shape: tuple[int, int, int]) -> tuple[str, int, int]:
    """Name, channels and side of the middle one of the places of a net."""
    names = list(places(recipe.design))
    if not names:
        raise RecipeError("recipe.teacher: a net without taps and fusions is not accepted; accepted: one that has some")
    name = names[(len(names) - 1) // 2]
    channels, side, _ = cost(recipe.design, shape).shapes[name]
    return name, channels, side
