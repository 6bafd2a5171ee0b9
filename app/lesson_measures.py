"""The values that lessons ask for, measured on the net that is set, on the recorded runs, or on the learner's own."""

from collections.abc import Mapping
from typing import Any

import cached
from flow_data import MOST_JUDGED, first_images
from lesion_data import judged
from lesion_plan import Lesion, options, read_dial, read_names, read_swap
from maps_data import run_with_maps

from dfn.design.catalogue import fused
from dfn.design.errors import DesignError
from dfn.design.nodes import SYMMETRIC_JOINS
from dfn.design.paths import exchange
from dfn.design.spec import Design, to_json
from dfn.lessons.pages import PAGES
from dfn.runs.store import Run, Store

IMAGES = 16  # over which gradients are averaged
MOST_RUNS = 200  # of the learner's own, that are searched for a race

State = Mapping[str, Any]


def measure(name: str, argument: str, state: State) -> float | None:
    """The value of a measure of `dfn.lessons` with what stands in its brackets; None while there is none."""
    match name:
        case "paths" | "groups" | "essential_depth" | "deepest" | "shortest" | "scales":
            return _of_the_net(name, state)
        case "recorded_accuracy":
            return curve(name, argument)[-1]
        case "recorded_growth":
            return cached.first_growth(str(_recorded(argument).folder))
        case "test_accuracy" | "train_loss":
            return _of_the_race(name, argument, state)
        case "accuracy":
            return _with_lesion(state)
    run = _recorded("fused")
    folder, epoch = str(run.folder), max(run.snapshots())
    images = cached.images_of(run)
    match name:
        case "accuracy_lost":
            lane, number = argument.split()
            judge = folder, epoch, _judged(run)
            before = cached.kept(*judge).effect.accuracy
            return 100 * (before - cached.lesion_importance(*judge, "zero")[f"fusion{number}/{lane}"])
        case "swapped_accuracy":
            lane, first, second = argument.split()
            lesion = Lesion(swap=(lane, int(first), int(second)))
            return 100 * cached.lesion_outcome(folder, epoch, _judged(run), lesion).after
        case "alone":
            return 100 * cached.joint(folder, epoch, min(MOST_JUDGED, len(images.test))).alone[argument]
        case "exchange_difference":
            return cached.exchange_difference(folder, epoch, int(argument))
        case "gradient_part":
            found = cached.lengths(folder, epoch, first_images(images, IMAGES))
            return 100 * found.parts[int(argument)] / found.whole
    raise ValueError(f"{name}: no such measure")


def curve(name: str, argument: str) -> list[float]:
    """A measure by epoch, from before the training to its end; in percent."""
    assert name == "recorded_accuracy"
    return cached.accuracies(str(_recorded(argument).folder))


def net_of(state: State) -> Design | None:
    """The net that the knobs of Compose or Train make, on other pages the one that Compose begins with; None where
    they make none."""
    state = {name: knob.default for name, knob in PAGES["compose"].items()} | dict(state)
    bases = [state["deep"], state["shallow"], state["base3"], state["base4"]][: state["bases"]]
    try:
        join = state["join"] if state["fusions"] else "mean"
        design = fused(bases=bases, fusions=state["fusions"], width=state["width"], join=join, in_channels=1)
        turns = state["x"][: state["fusions"]] if join in SYMMETRIC_JOINS else ""
        for fusion, times in enumerate(turns, start=1):
            for _ in range(int(times) % len(bases)):
                design = exchange(design, fusion)
    except DesignError:
        return None
    return design


def _of_the_net(name: str, state: State) -> float | None:
    design = net_of(state)
    if design is None:
        return None
    counts = cached.counts(to_json(design))
    return {
        "paths": sum(counts["spectrum"].values()),
        "groups": counts["groups"],
        "essential_depth": counts["essential"],
        "deepest": max(counts["depths"]),
        "shortest": min(counts["spectrum"]),
        "scales": len(counts["fields"]),
    }[name]


def _of_the_race(name: str, role: str, state: State) -> float | None:
    """Of the learner's newest finished run that is this net of the race that the page is set to."""
    if "deep" not in state:
        return None
    deep, shallow = state["deep"], state["shallow"]
    label = {"plain": f"plain {deep}", "shallow": f"plain {shallow}", "resnet": f"resnet {deep}"}.get(
        role, f"{role} {deep} + {shallow}"
    )
    for run in Store().runs()[:MOST_RUNS]:
        facts = cached.facts(str(run.folder))
        if (facts.label, facts.data, facts.seed) != (label, state["data"], state["seed"]):
            continue
        status = run.status()
        if status.state == "done":
            return status.train_loss if name == "train_loss" else 100 * (status.test_accuracy or 0.0)
    return None


def _with_lesion(state: State) -> float | None:
    """Of the run on the Lesions page, as it is cut there."""
    shown = run_with_maps(state["run"], cached.RECORDED) if state.get("run") and "cut" in state else None
    if shown is None:
        return None
    run = shown.run
    epoch = int(state["epoch"]) if state["epoch"] else max(run.snapshots())
    possible = options(run.recipe.design, cached.image_shape(run.recipe))
    gain, at = read_dial(state["dial"], possible.fusions) or (1.0, None)
    lesion = Lesion(
        cut=read_names(state["cut"], possible.lanes, possible.blocks)[0],
        how=state["how"],
        edges=read_names(state["edge"], {}, possible.edges)[0],
        dial=gain,
        dial_at=at,
        swap=read_swap(state["swap"], possible.swaps),
    )
    try:
        return 100 * cached.lesion_outcome(str(run.folder), epoch, _judged(run), lesion).after
    except ValueError:
        return None


def _judged(run: Run) -> int:
    """How many test images the Lesions page judges."""
    images = cached.images_of(run)
    return judged(cached.costs(to_json(run.recipe.design), images.shape).shapes, len(images.test))


def _recorded(role: str) -> Run:
    return next(run for _, kind, run in cached.recorded_race() if kind == role)
