"""The shell: `dfn ...` and `python -m dfn ...`.

Exit codes: 0 done, 2 bad input (one line that names the option, the value and what is accepted), 1 the work failed
(what was computed is kept), 130 after Ctrl-C. Torch is loaded only by what trains.
"""

import io
import re
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.markup import escape

from dfn import __version__
from dfn.cli import compare, data, depth_map, lessons, methods, paths, reproduce, runs, train
from dfn.cli.options import MethodOptions, ShapeOptions, TrainingOptions
from dfn.cli.output import BadInput, Failed, Interrupted, notes
from dfn.data.errors import DataError
from dfn.design.errors import DesignError, first_error
from dfn.runs.store import RunError
from dfn.training.recipe import RecipeError

FAILED, BAD_INPUT = 1, 2

app = typer.Typer(
    help="Deeply-fused nets: design them, train them, question them.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="List and fetch data sets.")
app.add_typer(data_app, name="data")
lessons_app = typer.Typer(help="Check lesson files.")
app.add_typer(lessons_app, name="lessons")

app.command()(train.train)
app.command("methods")(methods.show_methods)
app.command("paths")(paths.show_paths)
app.command()(compare.compare)
app.command("depth-map")(depth_map.depth_map)
app.command()(reproduce.reproduce)
app.command("runs")(runs.show_runs)
app.command()(runs.show)
app.command()(runs.stop)
app.command()(runs.pause)
app.command()(train.resume)
app.command()(runs.export)
app.command()(runs.delete)
app.command()(runs.restore)
app.command()(runs.purge)
data_app.command("list")(data.list_sets)
data_app.command()(data.fetch)
lessons_app.command()(lessons.check)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, by default that of the command line, and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a locale that knows no dash must not end a training
            stream.reconfigure(errors="replace")
    try:
        return app(arguments, prog_name="dfn", standalone_mode=False) or 0
    except (DataError, DesignError, RecipeError, RunError, BadInput) as error:
        return _complain(_named(str(error)), BAD_INPUT)
    except Interrupted as error:
        return _complain(str(error), error.exit_code)
    except (Failed, OSError) as error:
        return _complain(str(error), FAILED)
    except Exception as error:
        message = _about_the_line(error)
        if message is None:
            raise
        return _complain(message, BAD_INPUT)


@app.callback(invoke_without_command=True)
def about(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"dfn {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def _complain(message: str, code: int) -> int:
    """One line on standard error, however long: whoever reads it by program reads one line."""
    notes().print(f"[red]dfn:[/] {escape(' '.join(message.split()))}", soft_wrap=True)
    return code


def _about_the_line(error: Any) -> str | None:
    """What typer says about the command line; None for any other error, as typer's have no public class."""
    if not hasattr(error, "format_message"):
        return None
    if isinstance(error.__cause__, ValidationError):  # typer keeps the value to itself
        return str(first_error(error.__cause__, error.param.opts[0])).partition(", unable to parse")[0]
    return error.format_message()


def _named(message: str) -> str:
    """The message with the option in place of the field that a design or a recipe complains about."""
    found = re.match(r"(?:recipe\.)?([a-z_]+)(?:\[\d+\])?: ", message)
    field = {"depth": "deep"}.get(found[1], found[1]) if found else ""
    if not found or field not in _OPTIONS:
        return message
    return f"--{field.replace('_', '-')}: {message[found.end() :]}"


_OPTIONS = {field.name for options in (ShapeOptions, TrainingOptions, MethodOptions) for field in fields(options)} | {
    "data",
    "seed",
}
