"""`dfn methods`: the methods that `dfn train --method` trains, and how they stand to deep fusion."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from dfn.cli.output import Json, amount, facts, print_json, refuse, results
from dfn.data.info import data_sets
from dfn.design import paths
from dfn.design.cost import cost
from dfn.training.comparisons import Frame, Method, label, methods
from dfn.training.recipe import Recipe

SMALL = Frame(bases=(14, 8), fusions=6, width=8, classes=10, in_channels=1)
"""The nets whose numbers a card gives: those of the app's cards."""

Name = Annotated[str | None, typer.Argument(help="Show the card of this method alone.")]


def show_methods(name: Name = None, json: Json = False) -> None:
    """Every method of the field that can be trained beside the fused net, with its source and its relation to it."""
    if name is not None:
        if name not in methods():
            refuse("name", name, f"one of {', '.join(methods())}")
        return show_card(methods()[name], json)
    if json:
        return print_json([row(method) for method in methods().values()])
    console = results()
    for method in methods().values():
        console.print(f"[bold]{method.name}[/]  {escape(method.title)}  [dim]{method.family}, {method.status}[/]")
        console.print(escape(method.relation))
        console.print(f"[dim]{escape(method.source)}[/]", end="\n\n")


def show_card(method: Method, json: bool) -> None:
    """One method in full, with the numbers of a small net of it beside those of the fused net."""
    settings = {"data": next(iter(data_sets()))}
    own, fused = (chosen.make(SMALL, settings) for chosen in (method, methods()["fused"]))
    first = method.first(SMALL, settings)
    if json:
        before = [label(recipe) for recipe in first]
        return print_json(row(method) | {"first": before, "net": numbers(own), "fused": numbers(fused)})
    console = results()
    console.print(f"[bold]{escape(method.title)}[/]  [dim]{method.family}, {method.status}[/]\n")
    console.print(escape(method.relation), end="\n\n")
    console.print(facts({"formula": method.formula, "source": method.source}), end="\n\n")
    if first:
        console.print(escape(f"Trained first: {', '.join(map(label, first))}."), end="\n\n")
    console.print(facts({label(recipe): said(recipe) for recipe in dict.fromkeys((own, fused))}), end="\n\n")
    command = f"dfn train --method {method.name} --deep {SMALL.deep} --shallow {SMALL.shallow} --width {SMALL.width}"
    console.print(f"[dim]Train it:[/] {command}", soft_wrap=True)


def row(method: Method) -> dict[str, Any]:
    """A method as plain data."""
    names = ("name", "title", "family", "source", "status", "relation", "formula")
    return {name: getattr(method, name) for name in names}


def numbers(recipe: Recipe) -> dict[str, Any]:
    """What the net of a recipe has, for one image of the first data set."""
    spent = cost(recipe.design, next(iter(data_sets().values())).shape)
    spectrum = paths.path_spectrum(recipe.design)
    depths = {"shortest": min(spectrum), "deepest": max(spectrum)}
    counted = {"parameters": spent.parameters, "macs": spent.macs, "paths": sum(spectrum.values())}
    return {"label": label(recipe), **counted, **depths}


def said(recipe: Recipe) -> str:
    """The same in words."""
    found = numbers(recipe)
    low, high = found["shortest"], found["deepest"]
    ways = f"{amount(found['paths'])} path{'s' if found['paths'] != 1 else ''}"
    layers = f"{high} layers" if low == high else f"{low} to {high} layers"
    return f"{found['parameters']:,} parameters, {found['macs']:,} multiply-adds an image, {ways} of {layers}"
