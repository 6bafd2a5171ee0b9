"""What the page of a run says in words and tables: the recipe, the result, every epoch."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dfn.data.info import data_sets
from dfn.design.cost import cost
from dfn.design.paths import path_spectrum
from dfn.training.recipe import to_data

if TYPE_CHECKING:
    from dfn.runs.run import Run
    from dfn.training.recipe import Recipe

FOLDER = "folder:"
DASH = "–"


@dataclass(frozen=True)
class About:
    """`title` is the run's name, `result` what came out in a sentence or two, `alt` what the drawing of the net shows,
    `facts` names and values, `epochs` the rows of the table of epochs, `recipe` the recipe as JSON."""

    title: str
    result: str
    alt: str
    facts: dict[str, str]
    epochs: list[tuple[str, ...]]
    recipe: str


def facts(run: "Run") -> About:
    """All of it, from the files of the run. A folder of images is named without the place where it lies."""
    recipe, status, environment = run.recipe, run.status(), run.environment()
    records = run.metrics()
    begin = next((record for record in reversed(records) if record["event"] == "begin"), {})
    epochs = [record for record in records if record["event"] == "epoch"]
    stopped = next((record for record in records if record["event"] == "stopped"), None)
    spectrum = path_spectrum(recipe.design)
    paths = f"{sum(spectrum.values()):,} of {min(spectrum)} to {max(spectrum)} layers"
    info = data_sets().get(recipe.data)
    rows: dict[str, Any] = {
        "Run": run.id,
        "Net": recipe.label,
        "Paths": paths,
        "Parameters": f"{begin['parameters']:,}" if begin else f"{cost(recipe.design).parameters:,}",
        "Images": _data_words(recipe),
        "Source of the images": f"{info.source}. Licence: {info.licence}" if info else None,
        "Training images": f"{begin['train_images']:,}" if begin else None,
        "Test images": f"{begin['test_images']:,}" if begin else None,
        "State": f"{status.state}, {status.epoch} of {status.epochs} epochs",
        "Stopped early": stopped["reason"] if stopped else None,
        "Test accuracy": _percent(status.test_accuracy),
        "Training loss": f"{status.train_loss:.4f} nats" if status.train_loss is not None else None,
        "Seed": recipe.seed,
        "Batch": f"{recipe.batch_size} images",
        "Learning rate": f"{recipe.lr:g}, {recipe.schedule}, the first {100 * recipe.warmup:g} % of the steps rising",
        "Momentum": f"{recipe.momentum:g}",
        "Weight decay": f"{recipe.weight_decay:g}",
        "Crop and mirror": "yes" if recipe.augment else "no",
        "Objective": recipe.objective,
        "Start": recipe.start,
        "Seconds": f"{status.seconds:.1f}" if status.seconds else None,
        "Computed on": environment.get("device"),
        "Precision": environment.get("precision"),
        "Versions": ", ".join(
            f"{name} {environment[name]}" for name in ("dfn", "torch", "python") if name in environment
        ),
        "Weights, SHA-256": status.weights_sha256,
    }
    return About(
        title=run.name,
        result=_result(run, epochs, begin.get("test_images")),
        alt=f"{recipe.label}: {paths}",
        facts={name: str(value) for name, value in rows.items() if value not in (None, "", DASH)},
        epochs=[_epoch(record) for record in epochs],
        recipe=json.dumps({**to_data(recipe), "data": _data_words(recipe)}, indent=1),
    )


def _result(run: "Run", epochs: list[dict[str, Any]], images: int | None) -> str:
    if not epochs or not images:
        return f"{run.recipe.label} has not been trained yet."
    last = epochs[-1]
    done, wanted, right = last["epoch"], run.recipe.epochs, _percent(last["test_accuracy"])
    after = f"After {done} epochs" if done == wanted else f"After {done} of {wanted} epochs"
    return (
        f"{after if done else 'Before training'} the net {run.recipe.label} classifies {right} of {images:,} test "
        f"images of {_data_words(run.recipe)} correctly. One seed, {run.recipe.seed}: another may differ."
    )


def _data_words(recipe: "Recipe") -> str:
    return FOLDER + Path(recipe.data.removeprefix(FOLDER)).name if recipe.data.startswith(FOLDER) else recipe.data


def _epoch(record: dict[str, Any]) -> tuple[str, ...]:
    losses = ("–" if record[name] is None else f"{record[name]:.4f}" for name in ("train_loss", "test_loss"))
    return str(record["epoch"]), *losses, _percent(record["train_accuracy"]), _percent(record["test_accuracy"])


def _percent(share: float | None) -> str:
    return DASH if share is None else f"{100 * share:.1f} %"
