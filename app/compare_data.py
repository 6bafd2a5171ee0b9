"""A comparison on the page: its recipes, which of them can begin now, and what they reached. No drawing here."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from dfn.figures.compare import Gap, Seeds
from dfn.referee.budget import Budget, Entry, Shape, on_equal_terms, pilot
from dfn.referee.contenders import from_methods
from dfn.referee.judge import difference
from dfn.referee.results import Machine, Result, find, from_data, result_of
from dfn.runs import launch
from dfn.runs.store import Run, Status, Store
from dfn.training.comparisons import Frame, Settings
from dfn.training.recipe import Recipe

LIVING = ("waiting", "running")
LARGEST = 1_000_000


@dataclass(frozen=True)
class Line:
    """One net of a comparison with the recipes of its seeds, and of the runs that each seed starts from."""

    entry: Entry
    recipes: tuple[Recipe, ...]
    first: tuple[tuple[Recipe, ...], ...]


@dataclass(frozen=True)
class Recorded:
    """A comparison that came with the lab."""

    results: list[Result]
    machine: Machine
    budget: Budget
    data: str


def pilots(frame: Frame, names: Sequence[str], settings: Settings) -> dict[str, Recipe]:
    """The short trainings that tell the pace of every net, by name."""
    return {c.name: pilot(c, frame.width, settings) for c in from_methods(frame, names)}


def lines(
    frame: Frame,
    names: Sequence[str],
    settings: Settings,
    shape: Shape,
    budget: Budget,
    paces: dict[str, float],
    seeds: int,
) -> list[Line]:
    """Every net on equal terms with the recipes of seeds 0 and on. Raises DesignError or RecipeError."""
    entries = on_equal_terms(from_methods(frame, names), frame.width, settings, shape, budget, paces)
    return [
        Line(entry, tuple(map(entry.recipe, range(seeds))), tuple(map(entry.first, range(seeds)))) for entry in entries
    ]


def statuses(recipes: Sequence[Recipe], store: Store) -> dict[str, tuple[Run, Status]]:
    """Run and status by the id of a recipe, for those that have a run."""
    found = {recipe.id: find(store, recipe) for recipe in recipes}
    return {id: (run, run.status()) for id, run in found.items() if run}


def every_recipe(found: Sequence[Line]) -> list[Recipe]:
    """All recipes of a comparison, what others start from before them."""
    first = [recipe for line in found for recipes in line.first for recipe in recipes]
    return [*{recipe.id: recipe for recipe in first}.values(), *(recipe for line in found for recipe in line.recipes)]


def results(found: Sequence[Line], known: dict[str, tuple[Run, Status]]) -> list[Result]:
    """What every net reached so far."""
    return [
        result_of(line.entry, {s: known[recipe.id] for s, recipe in enumerate(line.recipes) if recipe.id in known})
        for line in found
    ]


def begin(groups: Sequence[Sequence[Recipe]], store: Store, *, again: bool) -> int:
    """Play what can begin, a worker for every group, and return how many runs that were. Runs that failed or were
    stopped are played only `again`: what nobody pressed a button for is left as it is."""
    begun = 0
    for group in groups:
        waking = []
        for recipe in group:
            run = find(store, recipe)
            state = run.status().state if run else "new"
            if state == "new" or (again and state in ("failed", "stopped", "interrupted", "paused")):
                waking.append(store.create(recipe))
        if waking:
            launch.play(waking)
        begun += len(waking)
    return begun


def ready(found: Sequence[Line], known: dict[str, tuple[Run, Status]]) -> list[list[Recipe]]:
    """The recipes whose beginnings are done, a group for every seed so that one seed after the other fills in; before
    all of them, in a group of their own, the beginnings that are not."""

    def done(recipe: Recipe) -> bool:
        return recipe.id in known and known[recipe.id][1].state == "done"

    first = {recipe.id: recipe for line in found for recipes in line.first for recipe in recipes if not done(recipe)}
    seeds = range(len(found[0].recipes))
    groups = [[line.recipes[seed] for line in found if all(map(done, line.first[seed]))] for seed in seeds]
    return [group for group in (list(first.values()), *groups) if group]


def seeds_of(found: Sequence[Result]) -> list[Seeds]:
    """The rows of the figure of accuracies."""
    return [Seeds(row.label, row.role, row.by_seed, row.so_far) for row in found]


def gaps_of(found: Sequence[Result]) -> list[Gap]:
    """The rows of the figure of differences: the first net's accuracy less each other's."""
    gaps = [(row, difference(found[0].by_seed, row.by_seed)) for row in found[1:]]
    return [Gap(row.label, row.role, gap.by_seed, gap.mean, gap.interval) for row, gap in gaps if gap]


def columns(found: Sequence[Result]) -> dict[str, list[object]]:
    """The table under the figures, as columns."""
    return {
        "net": [row.label for row in found],
        "accuracy": [None if row.mean is None else 100 * row.mean for row in found],
        "spread": [None if row.spread is None else 100 * row.spread for row in found],
        "seeds": [len(row.seeds) for row in found],
        "width": [row.width for row in found],
        "parameters": [row.parameters for row in found],
        "macs": [row.macs for row in found],
        "epochs": [row.epochs for row in found],
        "seconds": [row.seconds for row in found],
        "excess": [100 * row.excess for row in found],
    }


def table(found: Sequence[Result]) -> str:
    """One line a run that is done, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["net", "label", "seed", "test_accuracy", "run", "width", "parameters", "macs", "epochs"])
    for row in found:
        for seed, accuracy, run in zip(row.seeds, row.accuracies, row.runs, strict=True):
            writer.writerow([row.net, row.label, seed, accuracy, run, row.width, row.parameters, row.macs, row.epochs])
    return text.getvalue()


def recorded(file: Path) -> Recorded | None:
    """The comparison in a file that `dfn compare --json` printed; None where it cannot be read."""
    try:
        value = json.loads(file.read_bytes()[:LARGEST])
        return Recorded(from_data(value["results"]), Machine(**value["machine"]), value["budget"], value["data"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
