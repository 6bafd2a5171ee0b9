"""When a step is finished: a small set of declared conditions over the page's state and over measured values.

`answered`, `predicted`, `pressed`, `page: maps`, `state: deep >= 60`, `measure: test_accuracy(fused) > 60`. They are
read into plain data and looked up by name: a lesson file is never run as a program.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dfn.lessons.pages import PAGES
from dfn.words import N_

ROLES = ("fused", "plain", "shallow", "resnet", "late", "decision")
RECORDED_ROLES = ("fused", "plain", "shallow", "resnet")
TOLD = ("answered", "predicted", "pressed")
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True)
class Measure:
    """A value that the app can measure: what it is, its unit, and what may stand in its brackets (a pattern, and in
    words; nothing where there are no brackets)."""

    about: str
    unit: str = ""
    argument: str = ""
    accepted: str = ""


def _role(about: str, unit: str, roles: tuple[str, ...]) -> Measure:
    return Measure(about, unit, "|".join(roles), f"one of {', '.join(roles)}")


MEASURES = {
    "paths": Measure("paths of the net that is set", N_("paths")),
    "groups": Measure("groups of base networks that form the net that is set"),
    "essential_depth": Measure("essential depth of the net that is set", N_("layers")),
    "deepest": Measure("depth of the deepest base network, after exchanges", N_("layers")),
    "shortest": Measure("layers on the shortest path", N_("layers")),
    "scales": Measure("different receptive fields of the paths"),
    "recorded_accuracy": _role("test accuracy of a recorded run after its last epoch", "%", RECORDED_ROLES),
    "recorded_growth": _role(
        "gradient of the weights at the stem as a multiple of the last block's, at the first step of a recorded run",
        N_("times"),
        RECORDED_ROLES,
    ),
    "test_accuracy": _role("test accuracy of a net of the learner's own finished race", "%", ROLES),
    "train_loss": _role("training loss of a net of the learner's own finished race", N_("nats"), ROLES),
    "accuracy": Measure("test accuracy of the run on the Lesions page, with what is cut there", "%"),
    "accuracy_lost": Measure(
        "test accuracy that the recorded fused net loses when one block is cut",
        N_("points"),
        r"(?:deep|shallow) [1-6]",
        "a block, such as deep 1 or shallow 6",
    ),
    "swapped_accuracy": Measure(
        "test accuracy of the recorded fused net when two blocks of one base network change places",
        "%",
        r"(?:deep|shallow) 1 2",
        "deep 1 2 or shallow 1 2, the blocks that fit into each other's place",
    ),
    "alone": Measure(
        "test accuracy of one base network alone inside the recorded fused net", "%", "deep|shallow", "deep or shallow"
    ),
    "exchange_difference": Measure(
        "largest change of a logit when the blocks of a fusion of the recorded net are exchanged",
        "",
        "[1-6]",
        "the number of a fusion, from 1 to 6",
    ),
    "gradient_part": Measure(
        "norm of the gradient along paths of one depth in the recorded fused net, as a share of the whole's",
        "%",
        "14|20|26|32|38|44|50",
        "a depth of its paths: 14, 20, 26, 32, 38, 44 or 50",
    ),
}


@dataclass(frozen=True)
class Term:
    """A measure with what stands in its brackets, plus a number; or the number alone, where `measure` is empty."""

    measure: str = ""
    argument: str = ""
    plus: float = 0.0

    def value(self, measure: "Measuring") -> float | None:
        if not self.measure:
            return self.plus
        found = measure(self.measure, self.argument)
        return None if found is None else found + self.plus


Measuring = Callable[[str, str], float | None]
"""Gives the value of a measure with its argument; None while it has not been measured."""


@dataclass(frozen=True)
class Told:
    """The learner answered, predicted or pressed the step's button."""

    what: str


@dataclass(frozen=True)
class PageIs:
    """The learner has this page open."""

    page: str


@dataclass(frozen=True)
class StateIs:
    """A knob of the page has a value, compared by one of `COMPARED`."""

    knob: str
    compared: str
    value: Any


@dataclass(frozen=True)
class MeasureIs:
    """Two terms compare so."""

    left: Term
    compared: str
    right: Term


Condition = Told | PageIs | StateIs | MeasureIs

_NUMBER = r"[-+]?\d{1,12}(?:\.\d{1,9})?(?:e-?\d{1,2})?"
_TERM = re.compile(rf"([a-z_]+)(?:\(([^()]*)\))?(?:\s*([+-])\s*({_NUMBER}))?")
_COMPARISON = re.compile(r"(.+?)\s*(>=|<=|==|!=|>|<)\s*(.+)")


def term(text: str) -> Term:
    """Reads `52.5`, `paths`, `test_accuracy(plain) + 10`. Raises ValueError with what would be accepted."""
    text = text.strip()
    if re.fullmatch(_NUMBER, text):
        return Term(plus=float(text))
    found = _TERM.fullmatch(text)
    if not found or found[1] not in MEASURES:
        raise ValueError(f"a number or one of {', '.join(MEASURES)}")
    measure, argument = MEASURES[found[1]], (found[2] or "").strip()
    if not measure.argument and found[2] is not None:
        raise ValueError(f"{found[1]} without brackets")
    if measure.argument and not re.fullmatch(measure.argument, argument):
        raise ValueError(f"{found[1]}(...) with {measure.accepted} in brackets")
    return Term(found[1], argument, float(f"{found[3]}{found[4]}") if found[3] else 0.0)


def condition(text: str, page: str) -> Condition:
    """Reads one condition of a step on this page. Raises ValueError with what would be accepted."""
    kind, _, rest = (part.strip() for part in text.partition(":"))
    if text in TOLD:
        return Told(text)
    match kind:
        case "page":
            if rest not in PAGES:
                raise ValueError(f"page: one of {', '.join(PAGES)}")
            return PageIs(rest)
        case "state":
            return _state(rest, page)
        case "measure":
            found = _COMPARISON.fullmatch(rest)
            if not found:
                raise ValueError(f"measure: two values with one of {' '.join(COMPARED)} between them")
            return MeasureIs(term(found[1]), found[2], term(found[3]))
    raise ValueError(f"{', '.join(TOLD)}, or a line that begins with page:, state: or measure:")


def _state(text: str, page: str) -> StateIs:
    found = _COMPARISON.fullmatch(text)
    knobs = PAGES.get(page, {})
    if not found or found[1] not in knobs:
        raise ValueError(f"state: one of {', '.join(knobs) or 'no knobs (this page has none)'}, compared with a value")
    knob, said = knobs[found[1]], found[3].strip()
    empty = said == "nothing" and knob.in_address
    value = "" if empty else knob.read(said)
    if value is None:
        raise ValueError(f"state: {found[1]} compared with {knob.accepted}")
    if found[2] not in ("==", "!=") and not isinstance(value, int):
        raise ValueError(f"state: {found[1]} compared by == or !=, as it is no number")
    return StateIs(found[1], found[2], value)


def holds(what: Condition, *, told: set[str], page: str, state: Mapping[str, Any], measure: Measuring) -> bool:
    """Whether a condition holds now: `told` is what the learner did in the guide, `state` the page's knobs."""
    match what:
        case Told():
            return what.what in told
        case PageIs():
            return page == what.page
        case StateIs():
            value = state.get(what.knob)
            return value is not None and COMPARED[what.compared](value, what.value)
        case MeasureIs():
            left, right = what.left.value(measure), what.right.value(measure)
            return left is not None and right is not None and COMPARED[what.compared](left, right)
