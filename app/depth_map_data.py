"""A depth map on the page: its cells, their recipes, what they reached, and what they may cost. No drawing here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from dfn.figures.depth_map import Pair, Quantity
from dfn.referee.budget import Shape
from dfn.referee.grid import Cell, Reached, estimated_seconds, from_data, reached
from dfn.referee.results import Machine
from dfn.runs.progress import Progress
from dfn.runs.store import Run, Status
from dfn.training.comparisons import Settings
from dfn.training.recipe import Recipe
from dfn.words import _

LARGEST = 1_000_000


@dataclass(frozen=True)
class Recorded:
    """A depth map that came with the lab: digits, one seed, one width."""

    cells: list[Reached]
    machine: Machine
    width: int
    epochs: int
    steps: int


def recipes(grid: Sequence[Cell], width: int, classes: int, settings: Settings, shape: Shape) -> dict[Cell, Recipe]:
    """The recipe of every cell. Raises DesignError or RecipeError for one that cannot be."""
    return {cell: cell.recipe(width, classes, shape[0], settings) for cell in grid}


def measured(
    found: Mapping[Cell, Recipe], known: Mapping[str, tuple[Run, Status]], read: Mapping[str, Progress], shape: Shape
) -> list[Reached]:
    """What every cell reached so far; `read` has the records of the runs that began, by their id."""
    rows = []
    for cell, recipe in found.items():
        progress = read.get(recipe.id)
        norms = progress.first_norms if progress else None
        rows.append(reached(cell, recipe, shape, known.get(recipe.id), norms and norms["gradient"]))
    return rows


def values(rows: Sequence[Reached], quantity: Quantity, fusions: int) -> dict[Pair, float | None]:
    """One map: a value for every pair of depths."""
    return {(row.cell.deep, row.cell.shallow): getattr(row, quantity) for row in rows if row.cell.fusions == fusions}


def bounds(rows: Sequence[Reached], quantity: Quantity) -> tuple[float, float] | None:
    """The lowest and the highest value over all maps, so that they share a scale."""
    known = [value for row in rows if (value := getattr(row, quantity)) is not None]
    return (min(known), max(known)) if known else None


def columns(found: Mapping[Cell, Recipe]) -> list[list[Recipe]]:
    """The recipes of the cells of one deep depth belong together: a worker trains them side by side."""
    groups: dict[tuple[int, int], list[Recipe]] = {}
    for cell, recipe in found.items():
        groups.setdefault((cell.fusions, cell.deep), []).append(recipe)
    return list(groups.values())


def seconds_left(rows: Sequence[Reached], steps: int, example: Recorded | None) -> tuple[float, str] | None:
    """About how long the cells that are not done will train, each for so many steps, and by what that is reckoned."""
    wanted = [row.macs for row in rows if row.state != "done"]
    own = estimated_seconds(wanted, rows)
    if own is not None:
        return own, _("at the pace of the cells that are done")
    if example is None or (there := estimated_seconds(wanted, example.cells)) is None:
        return None
    return there * steps / max(1, example.steps), _("at the pace of the recorded map")


def recorded(file: Path) -> Recorded | None:
    """The map in a file that `dfn depth-map --json` printed; None where it cannot be read."""
    try:
        value = json.loads(file.read_bytes()[:LARGEST])
        numbers = (int(value[name]) for name in ("width", "epochs", "steps"))
        return Recorded(from_data(value["cells"]), Machine(**value["machine"]), *numbers)
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None
