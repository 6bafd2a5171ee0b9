"""Methods in which a net that was trained before teaches the deep base network."""

from collections.abc import Callable

from dfn.design.catalogue import plain
from dfn.training.methods.method import Frame, Method, Settings
from dfn.training.recipe import Objective, Recipe
from dfn.words import N_


def _teacher(frame: Frame, settings: Settings) -> tuple[Recipe, ...]:
    """The shallow base network alone, where there are fusions the very run that `plain-shallow` makes."""
    return (Recipe(design=plain(frame.shallow, frame.cuts, **frame.shape), net="plain", **settings),)


def _student(objective: Objective) -> Callable[[Frame, Settings], Recipe]:
    def make(frame: Frame, settings: Settings) -> Recipe:
        (teacher,) = _teacher(frame, settings)
        design = plain(frame.deep, frame.cuts, **frame.shape)
        return Recipe(design=design, net="plain", **settings | {"objective": objective, "teacher": teacher.id})

    return make


TRANSFER = (
    Method(
        "distillation",
        "distillation",
        "transfer",
        N_(
            "Hinton, Vinyals, Dean: Distilling the Knowledge in a Neural Network, arXiv 1503.02531; temperature 3 "
            "and a weight that falls from 4 to 1 as in FitNets"
        ),
        "reconstruction",
        N_(
            "The shallow base network is trained first, and the deep one then learns its softened answers. "
            "In a fused net the two learn at once and help each other."
        ),
        r"L = H(y, P) + \lambda\, H\big(P_T^\tau, P^\tau\big)",
        _student("distillation"),
        first=_teacher,
    ),
    Method(
        "fitnets",
        "FitNets",
        "transfer",
        N_(
            "Romero, Ballas, Kahou, Chassang, Gatta, Bengio: FitNets, arXiv 1412.6550; a hint for the first quarter "
            "of the steps, and the shallow base network as the teacher, are ours"
        ),
        "reconstruction",
        N_(
            "The deep base network first learns to give the middle map of the trained shallow one, then its answers. "
            "Fusion joins such maps in every step, without a net that was trained before."
        ),
        r"\tfrac12\big\lVert u_h(x) - r\big(v_g(x)\big)\big\rVert^2, \quad \text{then} \quad "
        r"H(y, P) + \lambda\, H\big(P_T^\tau, P^\tau\big)",
        _student("fitnets"),
        first=_teacher,
    ),
)
