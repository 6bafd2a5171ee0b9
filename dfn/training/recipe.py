"""A recipe: all that one run needs, as data. No torch here, so that pages and the shell can make one at once."""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from math import ceil, cos, pi
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from dfn.design import paths
from dfn.design.cost import layers
from dfn.design.errors import DesignError, first_error
from dfn.design.nodes import Conv, Fusion, Head, View
from dfn.design.spec import Design, from_data, to_json
from dfn.models.starts import Start
from dfn.training.places import places
from dfn.words import N_, _

Images = Annotated[int, Field(strict=True, ge=2, le=1_000_000)]
Share = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
RunId = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]

Objective = Literal[
    "cross-entropy",
    "mean-of-losses",
    "sum-of-losses",
    "side-outputs",
    "companion-losses",
    "auxiliary-paths",
    "distillation",
    "fitnets",
]
TAUGHT: tuple[Objective, ...] = ("distillation", "fitnets")


class RecipeError(ValueError):
    """A recipe that cannot be; the message names the field, the value and what would be accepted."""


class Recipe(BaseModel):
    """A design with its data, objective, optimiser and seed. Raises RecipeError for settings that cannot be.

    `net` is the name under which the design is shown, a name of the catalogue as a rule; it changes nothing in the
    run. `size` resizes the images, `train_limit` and `test_limit` take the first so many. `warmup` is the share of
    the steps in which the learning rate rises to `lr`. `teacher` is the id of the recipe whose trained net teaches
    this one, `temperature` softens what it says; `companion_share` is the share of the steps after which companion
    losses are gone. `path_sgd` scales gradients by the paths through a weight, `patience` is after how many epochs
    without a better loss on held-out training images to stop.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    design: Design
    net: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")] = "fused"
    data: Annotated[str, Field(min_length=1, max_length=4096)] = "digits"
    size: Annotated[int, Field(strict=True, ge=4, le=256)] | None = None
    train_limit: Images | None = None
    test_limit: Images | None = None
    epochs: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 5
    batch_size: Annotated[int, Field(strict=True, ge=2, le=8192)] = 64
    lr: Annotated[float, Field(gt=0.0, le=1000.0, allow_inf_nan=False)] = 0.02
    schedule: Literal["cosine", "step", "constant"] = "cosine"
    warmup: Share = 0.1
    momentum: Share = 0.9
    weight_decay: Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)] = 1e-4
    augment: bool = False
    objective: Objective = "cross-entropy"
    companion_share: Annotated[float, Field(gt=0.0, le=1.0, allow_inf_nan=False)] = 0.5
    teacher: RunId | None = None
    temperature: Annotated[float, Field(gt=0.0, le=100.0, allow_inf_nan=False)] = 3.0
    path_sgd: bool = False
    patience: Annotated[int, Field(strict=True, ge=1, le=10_000)] | None = None
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    start: Start = "he"
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**32)] = 0

    def __init__(self, **settings: Any):
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise RecipeError(first_error(error, "recipe").says(_)) from error

    @field_validator("data")
    @classmethod
    def _absolute(cls, data: str) -> str:
        """A folder is named in full: whoever trains may stand somewhere else."""
        kind, colon, path = data.partition(":")
        return f"folder:{Path(path).absolute()}" if kind == "folder" and colon and path else data

    def model_post_init(self, context: Any, /) -> None:
        if needed := _missing(self):
            raise DesignError("objective", self.objective, _("cross-entropy, or {needed}").format(needed=needed))
        grown = self.start == "net2net"
        if grown and self.teacher is None:
            raise DesignError("start", "net2net", "another one, or a `teacher`, the id of the recipe of a smaller net")
        defaults = type(self).model_fields
        for field, users in _USED_BY.items():
            value = getattr(self, field)
            if value == defaults[field].default or self.objective in users or (grown and field == "teacher"):
                continue
            also = ", or the start net2net" if field == "teacher" else ""
            raise DesignError(field, value, f"only with the objective {' or '.join(users)}{also}")
        if self.path_sgd and any(_has_no_paths(layer.node) for layer in layers(self.design)):
            raise DesignError("path_sgd", True, _("a design whose joins are sum, mean or concat, and without views"))

    @cached_property
    def id(self) -> str:
        """Twelve hexadecimal digits: a hash of what is not at its default. The same recipe has the same id, also
        after a setting with a default has been added."""
        settings = self.model_dump(mode="json", exclude_defaults=True, exclude={"design", "net"})
        text = json.dumps({"design": to_json(self.design), **settings}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def label(self) -> str:
        """What people call the run's net: its name, the depths of its base networks and what else sets it apart."""
        return ", ".join([f"{self.net} {depths_text(self.design)}", *differences(self)])


_WORDS: dict[Objective, str] = {
    "side-outputs": "side outputs",
    "companion-losses": "companions",
    "auxiliary-paths": "auxiliary paths",
    "sum-of-losses": "apart",
    "distillation": "distilled",
    "fitnets": "hinted",
}

_USED_BY: dict[str, tuple[Objective, ...]] = {
    "companion_share": ("companion-losses",),
    "teacher": TAUGHT,
    "temperature": TAUGHT,
}

OWN_TO_A_METHOD = frozenset({"design", "net", "objective", "start", *_USED_BY})
"""The fields that a method sets; all others are common to the nets of a comparison."""


def _missing(recipe: Recipe) -> str:
    """What the objective needs and the recipe has not, empty where nothing is missing."""
    design = recipe.design
    match recipe.objective:
        case "mean-of-losses" | "sum-of-losses" if not joins_logits(design):
            return _("a design that joins logits (fusions=0)")
        case "side-outputs" if sum(isinstance(layer.node, Head) for layer in layers(design)) < 2:
            return _("a design with several classifiers")
        case "companion-losses" | "fitnets" if not places(design):
            return _("a design with a tap or a fusion before its last layers")
        case "auxiliary-paths" if not _has_base_networks(design):
            return _("a chain of fusions whose joins are sum, mean or max, before one classifier")
        case "distillation" | "fitnets" if recipe.teacher is None:
            return _("a `teacher`, the id of the recipe of a net to learn from")
    return ""


def _has_base_networks(design: Design) -> bool:
    """Whether each base network is a net by itself that ends in the common classifier."""
    try:
        chain = paths.chain(design)
    except DesignError:
        return False
    return bool(chain.blocks) and all(chain.free) and not joins_logits(design)


def _has_no_paths(node: object) -> bool:
    """Whether the node is something that a sum over paths does not describe."""
    return isinstance(node, View) or (isinstance(node, Fusion) and node.join in ("max", "gate"))


def differences(recipe: Recipe) -> list[str]:
    """In a word or two each, what sets the training of this net apart from that of the same net as it is usual."""
    nodes = [layer.node for layer in layers(recipe.design)]
    found = [_WORDS[recipe.objective]] if recipe.objective in _WORDS else []
    joins = (
        {node.join for node in nodes if isinstance(node, Fusion)} - {"sum"} if recipe.net in ("fused", "late") else ()
    )
    found += sorted(joins)
    found += (
        [f"{recipe.design.norm} norm".replace("none", "no")]
        if recipe.design.norm != "batch" and recipe.net != "highway"
        else []
    )
    found += ["dropout"] if any(isinstance(node, Conv | Head) and node.dropout for node in nodes) else []
    found += ["drop-path"] if any(isinstance(node, Fusion) and node.drop_path for node in nodes) else []
    found += ["global drop-path"] if recipe.design.global_drop_path else []
    if recipe.start != "he":
        found += ["grown" if recipe.start == "net2net" else f"{recipe.start} start"]
    found += ["no weight decay"] if recipe.weight_decay == 0 else []
    found += ["Path-SGD"] if recipe.path_sgd else []
    found += ["early stopping"] if recipe.patience else []
    return found


def joins_logits(design: Design) -> bool:
    """Whether whole nets meet in their logits (decision fusion)."""
    last = design.body.nodes[-1]
    return isinstance(last, Fusion) and isinstance(last.branches[0].nodes[-1], Head)


def depths_text(design: Design) -> str:
    """The depths of the base networks, `50 + 14`; of the deepest path where fusions are nested."""
    try:
        depths = paths.base_depths(design)
    except DesignError:
        depths = (max(paths.path_spectrum(design)),)
    if len(depths) == 2 and depths[1] == 2:  # a base network of stem and classifier: identities all the way
        depths = depths[:1]
    return " + ".join(str(depth) for depth in depths)


def to_data(recipe: Recipe) -> dict[str, Any]:
    """Plain data without defaults, the design included."""
    settings = recipe.model_dump(mode="json", exclude_defaults=True, exclude={"design"})
    return {"design": json.loads(to_json(recipe.design)), **settings}


def recipe_from_data(value: Any) -> Recipe:
    """The recipe that plain data describe; raises RecipeError (or DesignError for its design)."""
    if not isinstance(value, dict) or "design" not in value:
        raise RecipeError("recipe: no design in it; accepted: an object with a `design`")
    settings = {key: item for key, item in value.items() if key != "design"}
    return Recipe(design=from_data(value["design"]), **settings)


@dataclass(frozen=True)
class Preset:
    """Settings of a recipe under a name, with where they come from."""

    title: str
    source: str
    settings: dict[str, Any]


PRESETS: dict[str, Preset] = {
    "classroom": Preset(
        N_("Classroom: 5 epochs, seconds"),
        N_("ours: short enough to watch, lr 0.02 with 10 % warm-up and a cosine"),
        {"epochs": 5, "batch_size": 64, "lr": 0.02, "schedule": "cosine", "warmup": 0.1},
    ),
    "patient": Preset(
        N_("Patient: 30 epochs, crop and mirror"),
        N_("ours: batch 128, lr 0.1 with 10 % warm-up and a cosine"),
        {"epochs": 30, "batch_size": 128, "lr": 0.1, "schedule": "cosine", "warmup": 0.1, "augment": True},
    ),
    "group": Preset(
        N_("The group's own: 400 epochs"),
        N_("zlmzju/fusenet, options.py: batch 64, lr 0.1, a tenth at 1/2, 3/4 and 7/8 of the epochs, crop and mirror"),
        {"epochs": 400, "batch_size": 64, "lr": 0.1, "schedule": "step", "warmup": 0.0, "augment": True},
    ),
}


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate of step `step` (counted from 0) of `steps`: linear warm-up, then the schedule."""
    warm = ceil(recipe.warmup * steps)
    if step < warm:
        return recipe.lr * (step + 1) / warm
    match recipe.schedule:
        case "constant":
            return recipe.lr
        case "step":
            return recipe.lr * 0.1 ** sum(step >= share * steps for share in (1 / 2, 3 / 4, 7 / 8))
        case "cosine":
            return recipe.lr * 0.5 * (1 + cos(pi * (step - warm) / max(1, steps - warm)))
