"""Training the seeds of a comparison from the shell, one run after another; what is done already is not done again."""

from collections.abc import Mapping, Sequence

from rich.markup import escape

from dfn.cli.output import Failed, notes, print_json
from dfn.cli.train import done_line, progress, train_here
from dfn.referee.budget import Entry
from dfn.referee.results import Result, result_of
from dfn.runs.store import Run, Store
from dfn.training.recipe import Recipe


def train_seeds(entries: Sequence[Entry], seeds: int, json: bool) -> tuple[list[Result], list[Run], list[str]]:
    """Train every entry with every seed, what it starts from first. Returns the results, the runs that came to their
    end, and the ids of those that did not."""
    found, done, failed = [], [], []
    for entry in entries:
        own: dict[int, Run] = {}
        for seed in range(seeds):
            recipe = entry.recipe(seed)
            line = {"net": entry.contender.name, "seed": seed}
            if all(train_one(first, json, line | {"for": recipe.id}) for first in entry.first(seed)):
                train_one(recipe, json, line)
            own[seed] = Store().create(recipe)
        states = {seed: (run, run.status()) for seed, run in own.items()}
        found.append(result_of(entry, states))
        done += [run for run, status in states.values() if status.state == "done"]
        failed += [run.id for run, status in states.values() if status.state != "done"]
    return found, done, failed


def train_one(recipe: Recipe, json: bool, line: Mapping[str, object]) -> Run | None:
    """Train one run to its end and say so, with `line` beside its figures; None where it did not come there."""
    run = Store().create(recipe)
    try:
        if json:
            train_here(run, lambda *_: None)
            print_json(done_line(run) | dict(line))
        else:
            with progress(run, epochs=False) as on_record:
                train_here(run, on_record)
    except Failed as error:
        notes().print(escape(str(error)))
        return None
    return run
