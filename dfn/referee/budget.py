"""Equal terms: the same epochs, parameters, multiply-adds or seconds for every net of a comparison.

The first net, the fused one as a rule, is as it was asked for and sets the amount; the others are brought as near to
it as whole numbers allow, and what remains is said. Equal parameters change the width. Equal multiply-adds change the
number of epochs, not the width: wider nets of equal multiply-adds would be almost those of equal parameters again.
Equal seconds change the epochs too, at a pace that was measured beforehand. What results is an ordinary recipe, so that
the comparison can be repeated without measuring again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from dfn.design.cost import cost
from dfn.design.errors import DesignError
from dfn.referee.contenders import Contender
from dfn.training.methods.method import Settings
from dfn.training.recipe import Recipe, RecipeError
from dfn.words import N_

Budget = Literal["epochs", "parameters", "macs", "seconds"]
Shape = tuple[int, int, int]

BUDGETS: tuple[Budget, ...] = get_args(Budget)
WORDS: dict[str, str] = {
    "epochs": N_("Equal epochs: every net sees every image equally often."),
    "parameters": N_("Equal parameters: widths were searched for the nearest number."),
    "macs": N_("Equal multiply-adds of the whole training: epochs were scaled, widths kept."),
    "seconds": N_("Equal seconds of training: epochs were scaled by a measured pace, widths kept."),
}
PILOT_EPOCHS = 2  # the first one warms up, the second is measured
WIDEST = 64  # times the width that was asked for


@dataclass(frozen=True)
class Entry:
    """A contender on equal terms: its width, its settings (epochs and all but the seed), parameters, and multiply-adds
    for one image. `excess` is how much more than the first net it has of what should be equal, as a share of it;
    `pace` are the measured seconds of an epoch, where they were asked for."""

    contender: Contender
    width: int
    settings: Settings
    parameters: int
    macs: int
    excess: float = 0.0
    pace: float | None = None

    @property
    def epochs(self) -> int:
        return self.recipe(0).epochs

    def recipe(self, seed: int) -> Recipe:
        return self.contender.make(self.width, self.settings | {"seed": seed})

    def first(self, seed: int) -> tuple[Recipe, ...]:
        """The recipes whose runs have to be done before this seed can begin; what they cost is not counted."""
        return self.contender.first(self.width, self.settings | {"seed": seed})


def pilot(contender: Contender, width: int, settings: Settings) -> Recipe:
    """The short training whose last epoch tells the pace of a net."""
    return contender.make(width, settings | {"seed": 0, "epochs": PILOT_EPOCHS})


def on_equal_terms(
    contenders: Sequence[Contender],
    width: int,
    settings: Settings,
    shape: Shape,
    budget: Budget = "epochs",
    paces: Mapping[str, float] | None = None,
) -> list[Entry]:
    """An entry for every contender, for images of `shape` (channels, height, width).

    `paces` are the seconds of an epoch by name, needed for equal seconds. Raises DesignError or RecipeError for
    settings that cannot be.
    """
    entries = [_entry(contender, width, settings, shape) for contender in contenders]
    match budget:
        case "epochs":
            return entries
        case "parameters":
            wanted = entries[0].parameters
            widths = [_nearest_width(contender, width, settings, shape, wanted) for contender in contenders[1:]]
            others = [_entry(c, found, settings, shape) for c, found in zip(contenders[1:], widths, strict=True)]
            return [entries[0], *(replace(entry, excess=entry.parameters / wanted - 1) for entry in others)]
        case "macs":
            return _equal_epochs_times(entries, [entry.macs for entry in entries])
        case "seconds":
            measured = [(paces or {})[entry.contender.name] for entry in entries]
            timed = [replace(entry, pace=pace) for entry, pace in zip(entries, measured, strict=True)]
            return _equal_epochs_times(timed, measured)


def _entry(contender: Contender, width: int, settings: Settings, shape: Shape) -> Entry:
    recipe = contender.make(width, settings)
    figures = cost(recipe.design, shape)
    return Entry(contender, width, settings, figures.parameters, figures.macs)


def _equal_epochs_times(entries: Sequence[Entry], each: Sequence[float]) -> list[Entry]:
    """Epochs scaled so that epochs times `each` is the same for all, as nearly as whole epochs allow."""
    amount = entries[0].epochs * each[0]
    found = []
    for entry, price in zip(entries, each, strict=True):
        epochs = max(1, round(amount / price)) if amount else 0
        excess = epochs * price / amount - 1 if amount else 0.0
        found.append(replace(entry, settings=entry.settings | {"epochs": epochs}, excess=excess))
    return found


def _nearest_width(contender: Contender, width: int, settings: Settings, shape: Shape, wanted: int) -> int:
    """The width whose parameters come nearest to those wanted; more width has more parameters."""

    def parameters(tried: int) -> float:
        try:
            return cost(contender.make(tried, settings).design, shape).parameters
        except (DesignError, RecipeError):  # narrower or wider than this net can be
            return 0.0 if tried < width else float("inf")

    low, high = 0, width
    while parameters(high) < wanted and high < WIDEST * width:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if parameters(middle) < wanted else (low, middle)
    return min((tried for tried in (low, high) if tried), key=lambda tried: abs(parameters(tried) - wanted))
