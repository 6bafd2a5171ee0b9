"""The depth map: one fused net for every pair of depths and number of fusions, and what each reached."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from dfn.design.catalogue import fused
from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.referee.budget import Shape
from dfn.runs.store import Run, State, Status
from dfn.training.comparisons import Settings, fused_recipe
from dfn.training.recipe import Recipe

MOST_CELLS = 64


@dataclass(frozen=True, order=True)
class Cell:
    """The depths of the two base networks, and how often they are joined."""

    deep: int
    shallow: int
    fusions: int

    @property
    def name(self) -> str:
        return f"{self.deep}-{self.shallow}-{self.fusions}"

    def recipe(self, width: int, classes: int, in_channels: int, settings: Settings) -> Recipe:
        """The fused net of this cell; without fusions it is decision fusion, each net with a loss of its own."""
        design = fused(self.deep, self.shallow, self.fusions, width, classes=classes, in_channels=in_channels)
        return fused_recipe(design, settings)


@dataclass(frozen=True)
class Reached:
    """What the run of a cell reached so far: test accuracy (0 to 1) and training loss (nats) after its last epoch, and
    the norm of the stem's gradient in its first step. What is not known yet is None."""

    cell: Cell
    run: str
    state: State
    accuracy: float | None = None
    loss: float | None = None
    stem_gradient: float | None = None
    seconds: float | None = None
    macs: int = 0


def cells(deep: Iterable[int], shallow: Iterable[int], fusions: Iterable[int]) -> list[Cell]:
    """Every combination in which the shallow base network is not the deeper one, the cheapest first.

    Raises DesignError where there is none, or over 64.
    """
    found = sorted({Cell(d, s, f) for d in deep for s in shallow for f in fusions if s <= d})
    if not 1 <= len(found) <= MOST_CELLS:
        accepted = f"from 1 to {MOST_CELLS} nets whose shallow base network is not the deeper one"
        raise DesignError("grid", len(found), accepted)
    return found


def reached(
    cell: Cell,
    recipe: Recipe,
    shape: Shape,
    found: tuple[Run, Status] | None,
    gradient: Mapping[str, float] | None,
) -> Reached:
    """What a cell reached, from its run and the gradient norms by place of its first step, where they are known."""
    macs = cost(recipe.design, shape).macs
    if found is None:
        return Reached(cell, recipe.id, "new", macs=macs)
    run, status = found
    seconds = status.seconds or None
    stem = None if gradient is None else stem_gradient(gradient)
    return Reached(cell, run.id, status.state, status.test_accuracy, status.train_loss, stem, seconds, macs)


def first_gradient(records: Iterable[Mapping[str, Any]]) -> Mapping[str, float] | None:
    """The gradient norms by place of the first step that noted them; None before that."""
    return next((record["gradient"] for record in records if record["event"] == "norms"), None)


def stem_gradient(gradient: Mapping[str, float]) -> float | None:
    """The norm of the gradient of the stem's weights. Where every base network has a stem of its own (decision fusion)
    there is none to compare."""
    return gradient.get("stem")


def estimated_seconds(wanted: Sequence[int], known: Iterable[Reached]) -> float | None:
    """How long nets of so many multiply-adds may train, at the pace of those that are done; None without any.

    The same data and settings are supposed. Small nets wait for each step rather than for their multiply-adds, so the
    estimate follows a straight line through the known nets, with a fixed part of every run and one for every
    multiply-add.
    """
    pairs = [(row.macs, row.seconds) for row in known if row.state == "done" and row.seconds]
    if not pairs:
        return None
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    x_mean, y_mean = sum(xs) / len(xs), sum(ys) / len(ys)
    squares = sum((x - x_mean) ** 2 for x in xs)
    slope = sum((x - x_mean) * (y - y_mean) for x, y in pairs) / squares if squares else y_mean / x_mean
    slope = max(slope, 0.0)
    fixed = max(0.0, y_mean - slope * x_mean)
    return sum(fixed + slope * macs for macs in wanted)


def from_data(rows: Any) -> list[Reached]:
    """The cells that were written down as plain data. Raises pydantic's ValidationError."""
    return _REACHED.validate_python(rows)


_REACHED = TypeAdapter(list[Reached])
