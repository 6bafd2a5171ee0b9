"""Every method as a recipe: a structure, an objective, a start and a regulariser, set beside the fused net.

A method says how it follows from the same few depths that make the fused net, so that all of them can race on the
same data, in the same order, from the same seed. No torch here: pages and the shell make recipes at once.
"""

from dfn.training.methods.method import Frame, Method, Settings
from dfn.training.methods.regularisers import REGULARISERS
from dfn.training.methods.starts import STARTS
from dfn.training.methods.structures import STRUCTURES, fused_recipe
from dfn.training.methods.supervision import SUPERVISION
from dfn.training.methods.transfer import TRANSFER
from dfn.training.recipe import Recipe

__all__ = ["CONTROLS", "Frame", "Method", "Settings", "fused_recipe", "label", "methods"]

CONTROLS = ("plain-deep", "plain-shallow", "resnet", "late", "decision")
"""The methods that it is honest to set beside every fused net."""

_SHOWN = {"resnet": "ResNet"}


def methods() -> dict[str, Method]:
    """Every method by the name that the shell uses, the fused net first, then its controls."""
    return {method.name: method for method in (*STRUCTURES, *SUPERVISION, *TRANSFER, *REGULARISERS, *STARTS)}


def label(recipe: Recipe) -> str:
    """What a recipe's net is called at its curve: `fused 50 + 14`, `ResNet 50`, `plain 50, companions`."""
    return _SHOWN.get(recipe.net, recipe.net) + recipe.label.removeprefix(recipe.net)
