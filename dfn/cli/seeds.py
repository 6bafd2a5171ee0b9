"""Training the seeds of a comparison from the shell, one run after another or all on a cluster; what is done already
is not done again."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn

from dfn.cli.output import Failed, Interrupted, notes, print_json, progress_bar
from dfn.cli.train import On, check_ended, done_line, progress, train_here, train_on_ray
from dfn.referee.budget import Entry
from dfn.referee.results import Result, result_of
from dfn.runs.store import Run, Store
from dfn.training.recipe import Recipe


def train_seeds(
    entries: Sequence[Entry], seeds: int, json: bool, on: On = "here"
) -> tuple[list[Result], list[Run], list[str]]:
    """Train every entry with every seed, what it starts from first. Returns the results, the runs that came to their
    end, and the ids of those that did not."""
    if on == "ray":
        both = [(*entry.first(seed), entry.recipe(seed)) for entry in entries for seed in range(seeds)]
        train_together([recipe for recipes in both for recipe in recipes], json)
    found, done, failed = [], [], []
    for entry in entries:
        own: dict[int, Run] = {}
        for seed in range(seeds):
            recipe = entry.recipe(seed)
            line = {"net": entry.contender.name, "seed": seed}
            if all(train_one(first, json, line | {"for": recipe.id}, on) for first in entry.first(seed)):
                train_one(recipe, json, line, on)
            own[seed] = Store().create(recipe)
        states = {seed: (run, run.status()) for seed, run in own.items()}
        found.append(result_of(entry, states))
        done += [run for run, status in states.values() if status.state == "done"]
        failed += [run.id for run, status in states.values() if status.state != "done"]
    return found, done, failed


def train_together(recipes: Iterable[Recipe], json: bool) -> None:
    """Train all of these on the cluster; `train_one` tells how each of them ended. Raises Interrupted."""
    runs = [Store().create(recipe) for recipe in {recipe.id: recipe for recipe in recipes}.values()]
    runs = [run for run in runs if run.status().state != "done"]
    if not runs:
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with progress_bar(*columns) as bar:
        task = bar.add_task("runs on the cluster", total=len(runs), visible=not json)

        def on_record(run: Run, line: dict[str, Any]) -> None:
            if line["event"] == "done":
                bar.advance(task)

        if signals := train_on_ray(runs, on_record):
            raise Interrupted("stopped; the same command goes on from here", signals[0])


def train_one(recipe: Recipe, json: bool, line: Mapping[str, object], on: On = "here") -> Run | None:
    """Train one run to its end and say so, with `line` beside its figures; None where it did not come there. On the
    cluster it has been trained already."""
    run = Store().create(recipe)
    try:
        if on == "ray":
            check_ended(run)
        elif json:
            train_here(run, lambda *_: None)
        else:
            with progress(run, epochs=False) as on_record:
                train_here(run, on_record)
    except Failed as error:
        notes().print(escape(str(error)))
        return None
    if json:
        print_json(done_line(run) | dict(line))
    return run
