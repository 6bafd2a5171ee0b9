"""`dfn depth-map`: accuracy, training loss and stem gradient over deep and shallow depth, a run for every cell."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from dfn.cli.nets import depths_of, images_of, settings_of
from dfn.cli.options import Data, Preset, Seed, TrainingOptions, takes
from dfn.cli.output import Failed, Json, notes, print_json, results
from dfn.cli.seeds import train_one, train_together
from dfn.cli.train import On
from dfn.design.cost import cost
from dfn.referee.grid import Reached, cells, first_gradient, reached
from dfn.referee.results import find, machine
from dfn.runs.store import Store

Depths = Annotated[str, typer.Option(help="Depths of the deep base network, with commas.")]
Shallow = Annotated[str, typer.Option(help="Depths of the shallow one; cells where it is the deeper one are left out.")]
Fusions = Annotated[str, typer.Option(help="How often they are joined; one map for each.")]
Width = Annotated[int, typer.Option(min=1, max=1024, help="Channels of the first stage.")]


@takes
def depth_map(
    *,
    deep: Depths = "8,14,26,50",
    shallow: Shallow = "2,5,8,14",
    fusions: Fusions = "6",
    width: Width = 8,
    data: Data = "digits",
    preset: Preset = "classroom",
    training: TrainingOptions,
    seed: Seed = 0,
    on: On = "here",
    json: Json = False,
) -> None:
    """Train one fused net for every pair of depths, and say where it could be trained.

    What was trained before is not trained again.
    """
    common = settings_of(data, preset, training)
    images = images_of(common["data"], training.size)
    settings = common | {"seed": seed}
    grid = cells(depths_of(deep, "--deep"), depths_of(shallow, "--shallow"), depths_of(fusions, "--fusions"))
    recipes = {cell: cell.recipe(width, images.classes, images.shape[0], settings) for cell in grid}
    macs = sum(cost(recipe.design, images.shape).macs for recipe in recipes.values())
    notes().print(f"{len(grid)} nets, {macs:,} multiply-adds for one image in all")
    if on == "ray":
        train_together(recipes.values(), json)
    store, found, runs = Store(), [], []
    for cell, recipe in recipes.items():
        train_one(recipe, json, {"cell": cell.name}, on)
        run = find(store, recipe)
        gradient = first_gradient(run.metrics()) if run else None
        found.append(reached(cell, recipe, images.shape, run and (run, run.status()), gradient))
        runs += [run] if run else []
    if json:
        made = machine(runs)
        about = {"data": settings["data"], "width": width, "epochs": recipes[grid[0]].epochs, "seed": seed}
        about["steps"] = max((run.status().steps for run in runs), default=0)
        print_json({"event": "mapped", **about, "machine": made and vars(made), "cells": [asdict(c) for c in found]})
    else:
        _show(found)
    failed = [row.run for row in found if row.state != "done"]
    if failed:
        raise Failed(f"{len(failed)} of {len(found)} runs did not come to their end: {', '.join(failed)}")


def _show(found: Sequence[Reached]) -> None:
    for fusions in sorted({row.cell.fusions for row in found}):
        rows = {(row.cell.deep, row.cell.shallow): row for row in found if row.cell.fusions == fusions}
        deeps, shallows = sorted({deep for deep, _ in rows}), sorted({shallow for _, shallow in rows})
        table = Table(title=f"{fusions} fusions: test accuracy, loss, stem gradient", box=None, header_style="dim")
        table.add_column("shallow \\ deep")
        for deep in deeps:
            table.add_column(str(deep), justify="right")
        for shallow in shallows:
            table.add_row(str(shallow), *(_cell(rows.get((deep, shallow))) for deep in deeps))
        results().print(table)


def _cell(row: Reached | None) -> str:
    if row is None or row.accuracy is None:
        return ""
    loss = "–" if row.loss is None else f"{row.loss:.2f}"
    gradient = "–" if row.stem_gradient is None else f"{row.stem_gradient:.2g}"
    return f"{100 * row.accuracy:.1f} %  {loss}  {gradient}"
