"""Options that several commands share: a frozen dataclass whose fields are the options, and `takes`, which gives a
command one option for every field and hands it the filled dataclass.

An option that was not given is None: defaults stay in the catalogue and in the recipe, the help only repeats them.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_type_hints

import typer

from dfn.models.starts import Start
from dfn.training.recipe import Objective

NETS = (
    "fused, plain, resnet, highway, merge-run, inception, inception-resnet, fractal, decision, late, side-outputs, "
    "multi-column, adaptive-columns, views-early, views-late or views-deep"
)


def _net(help: str, default: str = "") -> Any:
    return typer.Option(help=f"{help} Default: {default}." if default else help, rich_help_panel="The net")


def _training(help: str, *names: str) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="The training")


class Given:
    """Options of which any may be left out."""

    def given(self) -> dict[str, Any]:
        """Those that were given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class ShapeOptions(Given):
    """The numbers and kinds that make a net of the catalogue."""

    deep: Annotated[int | None, _net("Depth of the deep base network, or of the only one.", "26, or the net's own")]
    shallow: Annotated[int | None, _net("Depth of the shallow base network.", "8")]
    bases: Annotated[str | None, _net("Depths of two or more base networks, such as 26,14,8.")]
    fusions: Annotated[int | None, _net("How often the base networks are joined; 0 averages their logits.", "6")]
    width: Annotated[int | None, _net("Channels of the first stage; the next ones have 2 and 4 times as many.", "16")]
    join: Annotated[
        str | None,
        _net("How maps are joined: sum, mean, max, concat, gate, weighted, adaptive or inverse-variance.", "sum"),
    ]
    norm: Annotated[str | None, _net("Normalisation after every conv: batch, group or none.", "batch")]
    relu: Annotated[str | None, _net("ReLU after the join, or in every branch before it: after or before.", "after")]
    dropout: Annotated[float | None, _net("Probability of dropping a value in front of the classifier.", "0")]
    drop_path: Annotated[float | None, _net("Probability of dropping a branch of a fusion in training.", "0")]
    global_drop_path: Annotated[float | None, _net("Probability of training a mini-batch on one column alone.", "0")]


@dataclass(frozen=True)
class NetOptions:
    """Which net."""

    net: Annotated[str | None, _net(f"A net of the catalogue: {NETS}.", "fused")]
    design: Annotated[str | None, _net("A file with a design as JSON, in place of all other options of the net.")]


@dataclass(frozen=True)
class TrainingOptions(Given):
    """How a net is trained, named as in a recipe."""

    epochs: Annotated[int | None, _training("How often all images are gone through; 0 only measures.")]
    batch_size: Annotated[int | None, _training("Images in one step.")]
    lr: Annotated[float | None, _training("The highest learning rate.")]
    schedule: Annotated[str | None, _training("How it falls: cosine, step or constant.")]
    augment: Annotated[bool | None, _training("Crop and mirror the images.", "--augment/--no-augment")]
    size: Annotated[int | None, _training("Resize the images to so many pixels along a side.")]
    train_limit: Annotated[int | None, _training("Train on the first so many images.")]
    test_limit: Annotated[int | None, _training("Test on the first so many images.")]
    precision: Annotated[str | None, _training("auto (bf16 where it is faster), fp32 or bf16.")]


@dataclass(frozen=True)
class MethodOptions(Given):
    """What is minimised, where it starts, by what it is held back, and from whom it learns, named as in a recipe."""

    objective: Annotated[str | None, _training(f"What is minimised: {', '.join(get_args(Objective))}.")]
    companion_share: Annotated[float | None, _training("Share of the steps after which companion losses are gone.")]
    teacher: Annotated[str | None, _training("The run to learn from (distillation, fitnets) or to start as (net2net).")]
    temperature: Annotated[float | None, _training("By how much the teacher's answers are softened.")]
    start: Annotated[
        str | None, _training(f"First weights: {', '.join(get_args(Start))} (the teacher's, in a larger net).")
    ]
    weight_decay: Annotated[float | None, _training("Pull of all weights to zero; 0 for none.")]
    path_sgd: Annotated[bool | None, _training("Scale gradients by the paths through a weight.", "--path-sgd")]
    patience: Annotated[int | None, _training("Stop after so many epochs without a lower held-out loss.")]


Data = Annotated[str, _training("A data set of `dfn data list`, or folder:PATH.")]
Preset = Annotated[str, _training("What the next ones start from: classroom, patient or group.")]
Seed = Annotated[int, _training("Seed of the weights, the order and the augmentation.")]


def takes(command: Callable[..., None]) -> Callable[..., None]:
    """A command for typer: each argument whose type is a dataclass becomes one option for every field of it."""
    hints = get_type_hints(command, include_extras=True)
    parameters, groups = [], {}
    for parameter in inspect.signature(command).parameters.values():
        kind = hints[parameter.name]
        if not is_dataclass(kind):
            parameters.append(parameter.replace(annotation=kind, kind=parameter.KEYWORD_ONLY))
            continue
        assert isinstance(kind, type)
        groups[parameter.name] = kind
        types = get_type_hints(kind, include_extras=True)
        parameters += [
            inspect.Parameter(field.name, parameter.KEYWORD_ONLY, default=None, annotation=types[field.name])
            for field in fields(kind)
        ]

    @wraps(command)
    def run(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{field.name: values.pop(field.name) for field in fields(kind)})
        command(**values)

    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    setattr(run, "__signature__", inspect.Signature(parameters))  # noqa: B010, a name that functions do not declare
    return run
