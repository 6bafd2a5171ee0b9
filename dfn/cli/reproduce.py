"""`dfn reproduce`: a claim of the docs, trained anew and held against what came out."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from dfn.cli.nets import images_of
from dfn.cli.output import BadInput, Failed, Json, print_json, refuse, results
from dfn.cli.seeds import train_seeds
from dfn.referee.budget import on_equal_terms
from dfn.referee.claims import claims
from dfn.referee.report import claim_report
from dfn.referee.results import machine, sentences, to_data
from dfn.runs.files import write_whole

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="A claim of dfn reproduce --list.")]
List = Annotated[bool, typer.Option("--list", help="Say what can be reproduced.")]
To = Annotated[Path | None, typer.Option(help="Write the table, as Markdown, into this file as well.")]


def reproduce(name: Name = None, list: List = False, to: To = None, json: Json = False) -> None:
    """Train a named claim of the docs and print its table as Markdown.

    Exit code 1 where it does not hold. What was trained before is not trained again.
    """
    known = claims()
    if list or name is None:
        _list(json)
        return
    if name not in known:
        refuse("NAME", name, ", ".join(known))
    if to and not to.parent.is_dir():
        raise BadInput(f"--to: {to} is not accepted; accepted: a file in a folder that is there")
    claim = known[name]
    shape = images_of(claim.settings["data"]).shape
    entries = on_equal_terms(claim.contenders, claim.width, claim.settings, shape, claim.budget)
    found, runs, failed = train_seeds(entries, claim.seeds, json)
    text = claim_report(claim, found, machine(runs))
    nets = {result.net: result.by_seed for result in found}
    held = [check.holds(nets) for check in claim.checks]
    if to:
        write_whole(to, text.encode())
    if json:
        rows = {"results": to_data(found), "sentences": sentences(found), "holds": held}
        print_json({"event": "reproduced", "claim": name, **rows})
    else:
        print(text, end="")
    if failed:
        raise Failed(f"{name}: {len(failed)} runs did not come to their end: {', '.join(failed)}")
    if not all(held):
        raise Failed(f"{name} does not hold: {held.count(False)} of {len(held)} parts of it fail, as the table says")


def _list(json: bool) -> None:
    if json:
        print_json([{"name": claim.name, "says": claim.says, "seeds": claim.seeds} for claim in claims().values()])
        return
    table = Table("claim", "says", box=None, header_style="dim")
    for claim in claims().values():
        table.add_row(claim.name, escape(claim.says))
    results().print(table)
