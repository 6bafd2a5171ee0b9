"""A method on its card: its net beside the fused one in numbers, what a drawing cannot show, and what is measured on
its net before and after training. No drawing here.

Torch is loaded by the functions that need it, so that the page stands before it is there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow_data import some_images

from dfn.data.info import DataInfo
from dfn.design import paths
from dfn.design.cost import cost, layers
from dfn.design.nodes import Fusion
from dfn.design.picture import picture
from dfn.design.spec import Design
from dfn.runs.index import Entry
from dfn.runs.store import Run
from dfn.training.comparisons import Frame, Method, methods
from dfn.training.recipe import Objective, Recipe, differences
from dfn.words import N_, _

if TYPE_CHECKING:
    from torch import Tensor

    from dfn.data import Dataset
    from dfn.insight.drop_path import Kept
    from dfn.models.build import FusedNet

WIDTH = 8
SIZES = {"8 + 5": ((8, 5), 3), "14 + 8": ((14, 8), 6), "26 + 14": ((26, 14), 6)}
"""Depths of the base networks and fusions of the nets that the cards draw: small, so that every block can be seen."""
USUAL_SIZE = "14 + 8"

IMAGES, STEPS = 8, 4
"""Images of a mini-batch, and mini-batches, for which dropped branches are drawn."""

LEARNED = frozenset({"gate", "adaptive", "weighted", "inverse-variance"})
"""Joins whose weights are not known before training."""

STATUS = {
    "paper": N_("as its source gives it"),
    "reconstruction": N_("reconstruction: its source leaves details open"),
    "ours": N_("ours, after its source"),
}

LOSSES: dict[Objective, str] = {
    "mean-of-losses": N_("Every net has a loss of its own; their mean is minimised."),
    "sum-of-losses": N_("Every net has a loss of its own; their sum is minimised, as if each trained alone."),
    "side-outputs": N_("Every classifier has a loss, and the averaged answer as well."),
    "companion-losses": N_(
        "While it trains, a small classifier at every flag adds its loss, with a weight that falls."
    ),
    "auxiliary-paths": N_(
        "Each lane alone, with the weights that it has here, has a loss as well. The last answer and the lanes count "
        "the same."
    ),
    "distillation": N_("The softened answers of the trained net are learned beside the classes."),
    "fitnets": N_(
        "First the framed map is drawn to the framed map of the trained net, through a conv that is thrown away later; "
        "then its softened answers are learned beside the classes."
    ),
}
"""What is minimised, where that is not the loss of the answer alone."""

DIFFERENCES = (
    *(N_("side outputs"), N_("companions"), N_("auxiliary paths"), N_("apart"), N_("distilled"), N_("hinted")),
    *(N_("group norm"), N_("no norm"), N_("glorot start"), N_("orthogonal start"), N_("lsuv start")),
    *(N_("dropout"), N_("drop-path"), N_("global drop-path"), N_("grown"), N_("no weight decay"), N_("early stopping")),
)
"""The words of `differences` that are translated where a card shows them; in labels they stay as they are."""

Lines = dict[str, tuple[list[float], list[float]]]
"""By name the x values and the y values of a line."""


@dataclass(frozen=True)
class Count:
    """What a net has of one thing, and what another net has of it."""

    name: str
    own: str
    other: str


def frame_of(size: str, info: DataInfo) -> Frame:
    """The frame of one of SIZES for the images of this data set."""
    bases, fusions = SIZES[size]
    return Frame(bases, fusions, WIDTH, len(info.classes), info.shape[0])


def recipes(method: Method, frame: Frame, info: DataInfo) -> tuple[Recipe, ...]:
    """What the method trains in this frame, what has to be trained before it first, its own recipe last."""
    settings = {"data": info.name}
    return (*method.first(frame, settings), method.make(frame, settings))


def same_net(one: Design, other: Design) -> bool:
    """Whether two designs are drawn alike: they differ in nothing, or in what is no element of its own."""
    return picture(one)["elements"] == picture(other)["elements"]


def apart(recipe: Recipe, fused: Recipe) -> list[str]:
    """In words, what sets a training apart from that of the fused net without being seen in the drawing."""
    usual = (*differences(fused), *joins(recipe.design))
    return [_(words) for words in differences(recipe) if words not in usual]


def counts(design: Design, other: Design, shape: tuple[int, int, int]) -> list[Count]:
    """Parameters, multiply-adds, paths and their depths, of a net and of another one."""
    of = [(cost(net, shape), paths.path_spectrum(net)) for net in (design, other)]
    said = {
        _("parameters"): [f"{spent.parameters:,}" for spent, _spectrum in of],
        _("multiply-adds an image"): [f"{spent.macs:,}" for spent, _spectrum in of],
        _("paths"): [f"{sum(spectrum.values()):,}" for _spent, spectrum in of],
        _("layers on a path"): [_span(min(spectrum), max(spectrum)) for _spent, spectrum in of],
    }
    return [Count(name, *both) for name, both in said.items()]


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else _("{low} to {high}").format(low=low, high=high)


def joins(design: Design) -> set[str]:
    """The joins of a design."""
    return {fusion.join for fusion in _fusions(design)}


def _fusions(design: Design) -> list[Fusion]:
    return [layer.node for layer in layers(design) if isinstance(layer.node, Fusion)]


def learned_run(entries: Iterable[Entry], recipe: Recipe, root: Path) -> Run | None:
    """The newest finished run of a net of this name with the same joins that kept weights."""
    for entry in entries:
        if entry.facts.kind != recipe.net or entry.status.state != "done":
            continue
        if recipe.net == "fused" and not all(join in entry.facts.net for join in joins(recipe.design)):
            continue
        run = Run(root / entry.id)
        if run.snapshots():
            return run
    return None


def loss_weights(recipe: Recipe, points: int = 101) -> Lines:
    """By term of the loss its weight over the share of the steps that are done; empty where no weight changes."""
    if recipe.objective not in ("companion-losses", "distillation", "fitnets"):
        return {}
    from dfn.training.objectives.supervision import COMPANION_WEIGHT
    from dfn.training.objectives.transfer import FIRST_WEIGHT, HINT_SHARE, LAST_WEIGHT

    done = [k / (points - 1) for k in range(points)]
    match recipe.objective:
        case "companion-losses":
            companions = [COMPANION_WEIGHT * max(0.0, 1 - t / recipe.companion_share) for t in done]
            return {N_("the net's own loss"): (done, [1.0] * points), N_("each companion"): (done, companions)}
        case "distillation":
            hinted = 0.0
        case "fitnets":
            hinted = HINT_SHARE
    after = [(t - hinted) / (1 - hinted) for t in done]
    taught = [FIRST_WEIGHT + (LAST_WEIGHT - FIRST_WEIGHT) * t if t >= 0 else 0.0 for t in after]
    terms = {N_("the classes"): [float(t >= 0) for t in after], N_("the teacher's answers"): taught}
    if hinted:
        terms = {N_("the hint"): [float(t < 0) for t in after], **terms}
    return {name: (done, weights) for name, weights in terms.items()}


def hint(recipe: Recipe, teacher: Recipe, shape: tuple[int, int, int]) -> tuple[str, str] | None:
    """The names of the maps that a hint leads from and to: the teacher's and the student's; None without a hint."""
    if recipe.objective != "fitnets":
        return None
    from dfn.models.build import build
    from dfn.training.objectives.transfer import Hints

    hints = Hints(recipe, build(teacher.design), shape)
    return hints.hint, hints.guided


def drawing(picture: dict[str, Any], alt: str, marked: str = "") -> dict[str, Any]:
    """A drawing to be looked at: nothing in it is chosen or exchanged, and its paths are counted elsewhere. The
    element with the id `marked` has a frame."""
    looked_at = [
        {**element, "exchangeable": False, "selectable": False, "marked": element["id"] == marked}
        for element in picture["elements"]
    ]
    return {**picture, "elements": looked_at, "spectrum": [], "alt": alt, "compact": False, "selected": None}


def begins_otherwise(recipe: Recipe, fused: Recipe) -> bool:
    """Whether this is the fused net with other first weights or another norm, and no net was trained before it."""
    other = (recipe.start, recipe.design.norm) != (fused.start, fused.design.norm)
    return other and recipe.teacher is None and same_net(recipe.design, fused.design)


def drops_paths(design: Design) -> bool:
    """Whether training drops branches of this net, and joins them so that it can be seen which."""
    return any(fusion.drop_path and fusion.join in ("sum", "mean") for fusion in _fusions(design))


def start_variances(size: str, info: DataInfo, images: "Tensor") -> dict[str, dict[str, float]]:
    """By method the variance of every layer before the first step of a training, over a batch of normalised images: of
    the fused net, and of all methods that only begin otherwise."""
    from dfn.insight.start import layer_variances
    from dfn.models.build import build
    from dfn.models.initialise import initialise

    frame = frame_of(size, info)
    every = {name: recipes(method, frame, info)[-1] for name, method in methods().items()}
    found = {}
    for name, recipe in every.items():
        if name == "fused" or begins_otherwise(recipe, every["fused"]):
            net = build(recipe.design, recipe.seed)
            if recipe.start not in ("he", "net2net"):
                initialise(net, recipe.start, recipe.seed, images)
            found[name] = layer_variances(net, images)
    return found


def learned_weights(net: "FusedNet", images: "Dataset") -> dict[str, dict[str, float]]:
    """How the joins of a trained net weigh their branches, the mean over some test images."""
    from dfn.insight.start import branch_weights

    x, _labels = some_images(images, range(min(64, len(images.test.labels))))
    return branch_weights(net, x)


def kept_branches(design: Design, images: "Tensor") -> "Kept":
    """Which branches training keeps for the first IMAGES of these images, in the first of STEPS steps, then in the
    second, and so on."""
    from dfn.insight.drop_path import kept_branches
    from dfn.models.build import build

    net = build(design, seed=0)
    steps = [kept_branches(net, images[:IMAGES], seed) for seed in range(STEPS)]
    return {
        fusion: {branch: [stays for step in steps for stays in step[fusion][branch]] for branch in branches}
        for fusion, branches in steps[0].items()
    }
