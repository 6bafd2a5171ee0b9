"""`dfn paths`: what a design says about its net without building it; loads no torch."""

import sys
from typing import Annotated, Any

import typer
from rich.table import Table

from dfn.cli.nets import Images, absolute, chosen, images_of
from dfn.cli.options import NetOptions, ShapeOptions, takes
from dfn.cli.output import Json, amount, facts, print_json, results
from dfn.design import paths
from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.design.spec import Design
from dfn.training.recipe import depths_text

BAR = 24
MOST_ROWS = 40
DATA = "Count for the images of this data set; else for 3 x 32 x 32 pixels and 10 classes."


@takes
def show_paths(
    *,
    net: NetOptions,
    shape: ShapeOptions,
    data: Annotated[str | None, typer.Option(help=DATA)] = None,
    size: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Count for images of so many pixels a side.")
    ] = None,
    json: Json = False,
) -> None:
    """Paths, groups, essential depth, parameters and multiply-adds of a net."""
    images = Images() if data is None else images_of(absolute(data), needed=False)
    name, design = chosen(net, shape, images)
    height, width = (size, size) if size else images.shape[1:]
    # exact counts of large nets have more digits than Python writes out by itself
    sys.set_int_max_str_digits(0)
    found = measured(design, (design.in_channels, height, width))
    if json:
        print_json(found)
    else:
        _show(name, design, found)


def measured(design: Design, input_shape: tuple[int, int, int]) -> dict[str, Any]:
    """The figures as plain data. Groups, essential depth and the depths of the base networks are None where fusions
    are nested: there are no base networks then."""
    spectrum = paths.path_spectrum(design)
    figures = cost(design, input_shape)
    try:
        essential = paths.essential(design)
        depths, groups = paths.base_depths(design), paths.groups(design)
    except DesignError:
        essential = depths = groups = None
    return {
        "spectrum": {str(depth): count for depth, count in spectrum.items()},
        "paths": sum(spectrum.values()),
        "groups": groups,
        "essential_depth": essential and essential.depth,
        "essential_depth_exact": essential and essential.exact,
        "depths": depths,
        "receptive_fields": {str(side): count for side, count in paths.receptive_fields(design).items()},
        "parameters": figures.parameters,
        "macs": figures.macs,
        "input_shape": figures.input_shape,
    }


def _show(name: str, design: Design, found: dict[str, Any]) -> None:
    sides = [int(side) for side in found["receptive_fields"]]
    shape = " x ".join(map(str, found["input_shape"]))
    rows = {"paths": amount(found["paths"])}
    if found["groups"] is None:
        rows["groups"] = "none: fusions are nested, so there are no base networks"
    else:
        rows["groups"] = amount(found["groups"])
        rows["essential depth"] = _essential(design)
    rows["receptive field"] = f"{min(sides):,} to {max(sides):,} pixels" if len(sides) > 1 else f"{sides[0]:,} pixels"
    rows["parameters"] = f"{found['parameters']:,}"
    rows["multiply-adds"] = f"{found['macs']:,} for one image of {shape}"
    spectrum = found["spectrum"]
    most = max(spectrum.values())
    table = Table("depth", "paths", "", box=None, header_style="dim")
    for column in table.columns[:2]:
        column.justify = "right"
    for depth, count in list(spectrum.items())[:MOST_ROWS]:
        table.add_row(depth, amount(count), "█" * (-(-BAR * count // most)))
    console = results()
    console.print(f"[bold]{name} {depths_text(design)}[/]", facts(rows), "", table, sep="\n")
    if len(spectrum) > MOST_ROWS:
        console.print(f"[dim]and {len(spectrum) - MOST_ROWS} more depths; --json gives them all[/]")


def _essential(design: Design) -> str:
    found = paths.essential(design)
    return str(found.depth) if found.exact else f"from {found.lower} to {found.depth} (bounded, not solved)"
