"""`dfn compare`: the same data, recipe and seeds for several nets, and what the gaps are worth.

A gap between two means is set beside the spread over the seeds, the larger of the two nets' ranges (highest less
lowest test accuracy). With one seed there is no spread, and the sentence says so.
"""

from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from dfn.cli.nets import SHAPED_BY, catalogue_name, images_of, make, recipe_for, settings_of
from dfn.cli.options import Data, Preset, ShapeOptions, TrainingOptions, takes
from dfn.cli.output import Failed, Json, duration, notes, percent, print_json, results
from dfn.cli.train import done_line, progress, train_here
from dfn.design.cost import cost
from dfn.runs.store import Store
from dfn.training.recipe import Recipe

MOST_SEEDS = 100
LEVEL = 0.0005  # half of the last digit that is shown
NETS = "fused,plain,resnet,late,decision"


@dataclass(frozen=True)
class Result:
    """One net over all seeds: the runs that came to their end with their test accuracies from 0 to 1, those that did
    not, mean seconds of a run, parameters, and multiply-adds for one image."""

    net: str
    label: str
    accuracies: tuple[float, ...]
    runs: tuple[str, ...]
    failed: tuple[str, ...]
    seconds: float | None
    parameters: int
    macs: int

    @property
    def mean(self) -> float | None:
        return fmean(self.accuracies) if self.accuracies else None

    @property
    def spread(self) -> float | None:
        """Highest less lowest accuracy; None for fewer than two runs."""
        return max(self.accuracies) - min(self.accuracies) if len(self.accuracies) > 1 else None


@takes
def compare(
    *,
    nets: Annotated[str, typer.Option(help="Nets of the catalogue; each is set beside the first.")] = NETS,
    seeds: Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="How many seeds, from 0 on.")] = 3,
    shape: ShapeOptions,
    data: Data = "digits",
    preset: Preset = "classroom",
    training: TrainingOptions,
    json: Json = False,
) -> None:
    """Train several nets with several seeds, and set the gaps beside the spread over the seeds.

    An option that a net does not have is left out for it. What was trained before is not trained again.
    """
    settings = settings_of(data, preset, training)
    images = images_of(settings["data"], training.size)
    recipes: dict[str, list[Recipe]] = {}
    for net in map(str.strip, nets.split(",")):
        given = {name: value for name, value in shape.given().items() if name in SHAPED_BY[catalogue_name(net)]}
        design = make(net, given, images)
        recipes[net] = [recipe_for(net, design, settings | {"seed": seed}) for seed in range(seeds)]
    first, *others = found = [_trained(rows, images.shape, json) for rows in recipes.values()]
    sentences = [sentence(first, other) for other in others]
    if json:
        rows = [asdict(result) | {"mean": result.mean, "spread": result.spread} for result in found]
        print_json({"event": "compared", "results": rows, "sentences": sentences})
    else:
        _show(found, sentences)
    failed = [run for result in found for run in result.failed]
    if failed:
        raise Failed(f"{len(failed)} of {len(found) * seeds} runs did not come to their end: {', '.join(failed)}")


def sentence(one: Result, other: Result) -> str:
    """What the gap between two nets is worth."""
    if one.failed or other.failed or one.mean is None or other.mean is None:
        return f"{one.label} and {other.label} cannot be compared: not every run came to its end."
    gap = one.mean - other.mean
    if abs(gap) < LEVEL:
        return f"{one.label} and {other.label} are level."
    side = "ahead of" if gap > 0 else "behind"
    said = f"{one.label} is {100 * abs(gap):.1f} points {side} {other.label}"
    if one.spread is None or other.spread is None:
        return f"{said}; one seed says nothing about the spread."
    spread = max(one.spread, other.spread)
    where = "larger than" if abs(gap) > spread else "inside"
    return f"{said}, {where} the spread of {100 * spread:.1f} points over {len(one.accuracies)} seeds."


def _trained(recipes: list[Recipe], shape: tuple[int, int, int], json: bool) -> Result:
    """Train the recipes of one net, which differ in their seeds."""
    done, failed = [], []
    for recipe in recipes:
        run = Store().create(recipe)
        try:
            if json:
                train_here(run, lambda *_: None)
                print_json(done_line(run) | {"net": recipe.net, "seed": recipe.seed})
            else:
                with progress(run, epochs=False) as on_record:
                    train_here(run, on_record)
        except Failed as error:
            notes().print(escape(str(error)))
            failed.append(run.id)
        else:
            done.append(run)
    states = [run.status() for run in done]
    figures = cost(recipes[0].design, shape)
    return Result(
        net=recipes[0].net,
        label=recipes[0].label,
        accuracies=tuple(state.test_accuracy or 0.0 for state in states),
        runs=tuple(run.id for run in done),
        failed=tuple(failed),
        seconds=fmean(state.seconds for state in states) if states else None,
        parameters=figures.parameters,
        macs=figures.macs,
    )


def _show(found: list[Result], sentences: list[str]) -> None:
    table = Table(box=None, header_style="dim")
    table.add_column("net")
    for name in ("mean", "spread", "every seed", "parameters", "multiply-adds", "time"):
        table.add_column(name, justify="right")
    for result in found:
        spread = "–" if result.spread is None else f"{100 * result.spread:.1f}"
        every = ", ".join(f"{100 * accuracy:.1f}" for accuracy in result.accuracies)
        size = f"{result.parameters:,}", f"{result.macs:,}"
        table.add_row(result.label, percent(result.mean), spread, every, *size, duration(result.seconds))
    results().print(table)
    for line in sentences:
        results().print(line)
