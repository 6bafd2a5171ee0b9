"""`dfn compare`: the same data, recipe and seeds for several nets on equal terms, and what the gaps are worth."""

from collections.abc import Sequence
from itertools import cycle
from typing import Annotated, cast

import typer
from rich.table import Table

from dfn.cli.nets import SHAPED_BY, Images, catalogue_name, depths_of, images_of, make, recipe_for, settings_of
from dfn.cli.options import Data, Preset, ShapeOptions, TrainingOptions, takes
from dfn.cli.output import Failed, Json, duration, percent, print_json, refuse, results
from dfn.cli.seeds import train_one, train_seeds, train_together
from dfn.cli.train import On
from dfn.design.nodes import Join
from dfn.figures.theme import ROLES
from dfn.referee.budget import BUDGETS, WORDS, Budget, on_equal_terms, pilot
from dfn.referee.contenders import FURTHER, USUAL, Contender, from_methods
from dfn.referee.judge import ASSUMPTION, difference, points
from dfn.referee.report import signed
from dfn.referee.results import Result, machine, pace, sentences, to_data
from dfn.training.comparisons import Frame, Settings, label
from dfn.training.comparisons import methods as all_methods
from dfn.training.recipe import Recipe

MOST_SEEDS = 100
DEEP, SHALLOW, FUSIONS, WIDTH = 26, 8, 6, 16
METHODS = f"Methods, each set beside the first. Default: {','.join(USUAL)}."
NETS = "Nets of the catalogue in place of methods, such as fused,plain,highway."
BUDGET = f"What is equal for all: {', '.join(BUDGETS)}."


@takes
def compare(
    *,
    methods: Annotated[str | None, typer.Option(help=METHODS)] = None,
    nets: Annotated[str | None, typer.Option(help=NETS)] = None,
    seeds: Annotated[int, typer.Option(min=1, max=MOST_SEEDS, help="How many seeds, from 0 on.")] = 3,
    budget: Annotated[str, typer.Option(help=BUDGET)] = "epochs",
    shape: ShapeOptions,
    data: Data = "digits",
    preset: Preset = "classroom",
    training: TrainingOptions,
    on: On = "here",
    json: Json = False,
) -> None:
    """Train several nets with several seeds on equal terms, and set the gaps beside the spread over the seeds.

    An option that a net of --nets does not have is left out for it. What was trained before is not trained again.
    """
    if budget not in BUDGETS:
        refuse("--budget", budget, ", ".join(BUDGETS))
    if methods and nets:
        refuse("--nets", nets, "either --methods or --nets")
    terms = cast(Budget, budget)
    settings = settings_of(data, preset, training)
    images = images_of(settings["data"], training.size)
    contenders = _of_catalogue(nets, shape, images) if nets else _of_methods(methods, shape, images)
    width = shape.width or WIDTH
    paces = _paces(contenders, width, settings, json, on) if terms == "seconds" else None
    entries = on_equal_terms(contenders, width, settings, images.shape, terms, paces)
    found, runs, failed = train_seeds(entries, seeds, json, on)
    if json:
        made = machine(runs)
        about = {"budget": terms, "data": settings["data"], "machine": made and vars(made)}
        print_json({"event": "compared", **about, "results": to_data(found), "sentences": sentences(found)})
    else:
        _show(found, terms)
    if failed:
        raise Failed(f"{len(failed)} of {len(found) * seeds} runs did not come to their end: {', '.join(failed)}")


def _of_methods(names: str | None, shape: ShapeOptions, images: Images) -> list[Contender]:
    given = shape.given()
    for option in given.keys() - {"deep", "shallow", "bases", "fusions", "width", "join"}:
        refuse("--" + option.replace("_", "-"), given[option], "nothing beside methods; nets of --nets may take it")
    if shape.bases is not None and given.keys() & {"deep", "shallow"}:
        refuse("--bases", shape.bases, "the depths of all base networks, without --deep and --shallow")
    deep = DEEP if shape.deep is None else shape.deep
    shallow = SHALLOW if shape.shallow is None else shape.shallow
    bases = (deep, shallow) if shape.bases is None else tuple(depths_of(shape.bases))
    fusions = FUSIONS if shape.fusions is None else shape.fusions
    join = cast(Join, shape.join or "sum")  # a design refuses any other word
    frame = Frame(bases, fusions, shape.width or WIDTH, images.classes, images.shape[0], join)
    wanted = USUAL if names is None else [name.strip() for name in names.split(",")]
    for name in wanted:
        if name not in all_methods():
            refuse("--methods", name, ", ".join(all_methods()))
    return from_methods(frame, wanted)


def _of_catalogue(nets: str, shape: ShapeOptions, images: Images) -> list[Contender]:
    further = cycle(FURTHER)
    return [
        _catalogue_net(catalogue_name(net), shape, images, net if net in ROLES else next(further))
        for net in dict.fromkeys(map(str.strip, nets.split(",")))
    ]


def _catalogue_net(net: str, shape: ShapeOptions, images: Images, role: str) -> Contender:
    given = {name: value for name, value in shape.given().items() if name in SHAPED_BY[net]}

    def recipe(width: int, settings: Settings) -> Recipe:
        return recipe_for(net, make(net, given | {"width": width}, images), settings)

    return Contender(net, label(recipe(shape.width or WIDTH, {})), role, recipe)


def _paces(contenders: Sequence[Contender], width: int, settings: Settings, json: bool, on: On) -> dict[str, float]:
    """Seconds of an epoch of every net, from a short training of each, one after another."""
    found: dict[str, float] = {}
    for contender in contenders:
        recipe = pilot(contender, width, settings)
        if on == "ray":
            train_together([recipe], json)
        run = train_one(recipe, json, {"net": contender.name, "pilot": True}, on)
        seconds = run and pace(run)
        if not seconds:
            raise Failed(f"the pace of {contender.label} could not be measured, so equal seconds are not known")
        found[contender.name] = seconds
    return found


def _show(found: Sequence[Result], budget: Budget) -> None:
    first = found[0]
    reached = _table("net", "mean", "spread", "every seed", "first ahead by", "95 % interval")
    costs = _table("net", "width", "parameters", "multiply-adds", "epochs", "time", *["off"] * (budget != "epochs"))
    for result in found:
        gap = None if result is first else difference(first.by_seed, result.by_seed)
        cells = [percent(result.mean), "–" if result.spread is None else f"{100 * result.spread:.1f}"]
        cells += [", ".join(f"{100 * accuracy:.1f}" for accuracy in result.accuracies)]
        cells += [signed(gap.mean), points(gap.interval)] if gap else ["–", "–"]
        reached.add_row(result.label, *cells)
        cells = [str(result.width), f"{result.parameters:,}", f"{result.macs:,}", str(result.epochs)]
        cells += [duration(result.seconds)] + [f"{100 * result.excess:+.1f} %"] * (budget != "epochs")
        costs.add_row(result.label, *cells)
    console = results()
    for part in (reached, "", costs, "", *sentences(found), _terms(found, budget), ASSUMPTION):
        console.print(part)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim")
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left")
    return table


def _terms(found: Sequence[Result], budget: Budget) -> str:
    """What is equal, and for equal seconds what was measured."""
    said = WORDS[budget]
    if budget == "seconds":
        said += " Seconds of an epoch: " + ", ".join(f"{row.label} {row.pace:.2f}" for row in found if row.pace) + "."
    return said
