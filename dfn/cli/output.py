"""What the shell says and where: results on standard output, progress and complaints on standard error.

With `--json` standard output carries JSON alone, one value a line, in ASCII so that no locale can spoil it.
"""

import sys
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, ProgressColumn
from rich.table import Table

from dfn.runs.files import to_line

Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]


class BadInput(Exception):
    """What was asked cannot be done as it stands; one line that names the option, the value and what is accepted."""


class Failed(Exception):
    """The work was begun and did not come to its end; one line that says why and what is kept."""


class Interrupted(Exception):
    """Ctrl-C or another signal ended the work; one line that says how to go on."""

    def __init__(self, message: str, signal: int):
        super().__init__(message)
        self.exit_code = 128 + signal


def refuse(option: str, value: object, accepted: str) -> NoReturn:
    """Raise BadInput in the form that designs and recipes use."""
    raise BadInput(f"{option}: {value} is not accepted; accepted: {accepted}")


def results() -> Console:
    """Standard output, for people."""
    return Console(highlight=False)


def notes() -> Console:
    """Standard error, for progress and complaints."""
    return Console(stderr=True, highlight=False)


def progress_bar(*columns: ProgressColumn) -> Progress:
    """A bar on standard error that leaves nothing behind; into a file only what is printed above it goes."""
    console = notes()
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def print_json(value: Any) -> None:
    """One line of JSON, at once, so that a program can follow. What is not a number becomes null."""
    sys.stdout.write(to_line(value).decode())
    sys.stdout.flush()


def facts(rows: dict[str, str]) -> Table:
    """Names and values, one pair a line."""
    table = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        table.add_row(f"[dim]{name}[/]", escape(value))
    return table


def percent(share: float | None) -> str:
    """0.912 as `91.2 %`."""
    return "–" if share is None else f"{100 * share:.1f} %"


def duration(seconds: float | None) -> str:
    """Seconds as people say them: `8.1 s`, `3 min 05 s`, `2 h 10 min`."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def amount(count: int) -> str:
    """A count as it is, or by its power of ten where it has over 15 digits."""
    text = f"{count:,}"
    if count < 10**15:
        return text
    digits = str(count)
    return f"{digits[0]}.{digits[1:3]}e{len(digits) - 1}"
