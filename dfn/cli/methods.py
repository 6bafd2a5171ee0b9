"""`dfn methods`: the methods that `dfn train --method` trains, and how they stand to deep fusion."""

from typing import Any

from rich.markup import escape

from dfn.cli.output import Json, print_json, results
from dfn.training.comparisons import Method, methods


def show_methods(json: Json = False) -> None:
    """Every method of the field that can be trained beside the fused net, with its source and its relation to it."""
    if json:
        print_json([row(method) for method in methods().values()])
        return
    console = results()
    for method in methods().values():
        console.print(f"[bold]{method.name}[/]  {escape(method.title)}  [dim]{method.family}, {method.status}[/]")
        console.print(escape(method.relation))
        console.print(f"[dim]{escape(method.source)}[/]", end="\n\n")


def row(method: Method) -> dict[str, Any]:
    """A method as plain data."""
    names = ("name", "title", "family", "source", "status", "relation", "formula")
    return {name: getattr(method, name) for name in names}
