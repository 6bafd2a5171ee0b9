"""The one error of a design: it names the field, the value and what would be accepted."""

from collections.abc import Callable
from reprlib import Repr
from typing import Any

from pydantic import ValidationError

from dfn.words import N_

LONGEST_SHOWN = 80
LARGEST_SHOWN = 10**20

# What pydantic says about a value, in the words of someone who writes a design.
_ACCEPTED = {
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "an object with named fields",
    "model_attributes_type": "an object with named fields",
}


class DesignError(ValueError):
    """A design that cannot be. `field`, `value` and `accepted` stand in the message, on one line, in this order.

    `value` is what was given, or a few words for what has no short form ("a net without a classifier").
    """

    def __init__(self, field: str, value: Any, accepted: str):
        super().__init__(field, value, accepted)
        self.field = field
        self.value = value
        self.accepted = accepted

    def __str__(self) -> str:
        return self.says(str)

    def says(self, words: Callable[[str], str]) -> str:
        """The message, translated by `words`; as text it is in English, since caches and files keep it."""
        field = self.field[-LONGEST_SHOWN:] if self.field.isprintable() else repr(self.field)[-LONGEST_SHOWN:]
        text = words(N_("{field}: {value} is not accepted; accepted: {accepted}"))
        return text.format(field=field, value=_shown(self.value), accepted=self.accepted)


def whole(field: str, value: Any, low: int, high: int) -> int:
    """The value, where it is a whole number from `low` to `high`; raises DesignError elsewhere."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DesignError(field, value, f"a whole number from {low} to {high}" if low < high else f"only {low}")
    return value


def first_error(error: ValidationError, root: str = "") -> DesignError:
    """The first thing that pydantic found wrong, in a user's words; `root` is what the fields belong to."""
    return _in_words(error.errors(include_url=False)[0], root)


def every_error(error: ValidationError) -> list[tuple[tuple[str | int, ...], DesignError]]:
    """All that pydantic found wrong, in a user's words, each with its place in the data."""
    return [(found["loc"], _in_words(found, "")) for found in error.errors(include_url=False)]


def _in_words(found: Any, root: str) -> DesignError:
    field, value, kind, context = root, found["input"], found["type"], found.get("ctx", {})
    for index, place in enumerate(found["loc"]):
        if isinstance(place, int):
            field += f"[{place}]"
        elif index == 0 or isinstance(found["loc"][index - 1], str):  # behind a number stands the kind of a node
            field = _joined(field, place)
    match context.get("error"):
        case DesignError() as inner:
            return DesignError(_joined(field, inner.field), inner.value, inner.accepted)
        case ValueError() as inner:
            return DesignError(field, value, str(inner))
    match kind:
        case "missing":
            return DesignError(field, "nothing", "a value, this field is required")
        case "extra_forbidden":
            return DesignError(field, value, "no such field")
        case "union_tag_invalid":
            return DesignError(_joined(field, "kind"), context["tag"], _unquoted(context["expected_tags"]))
        case "union_tag_not_found":
            return DesignError(_joined(field, "kind"), "nothing", "the kind of a node, such as conv or fusion")
    return DesignError(field, value, _ACCEPTED.get(kind, _unquoted(found["msg"].removeprefix("Input should be "))))


def _joined(outer: str, inner: str) -> str:
    dot = "." if outer and inner and not inner.startswith("[") else ""
    return f"{outer}{dot}{inner}"


def _unquoted(listing: str) -> str:
    return listing.replace("'", "")


class _Shown(Repr):
    """A short printable form of any value: bounded in length and depth, and of numbers that Python refuses to
    write out because they are too long."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = LONGEST_SHOWN

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if abs(x) < LARGEST_SHOWN else f"a number of over {len(str(LARGEST_SHOWN)) - 1} digits"


def _shown(value: Any) -> str:
    """The value on one line; text without quotation marks, where nobody can take it for something else."""
    if isinstance(value, str) and value[:1].isalpha() and value[:LONGEST_SHOWN].isprintable():
        shown = value
    else:
        shown = _Shown().repr(value)
    return shown if len(shown) <= LONGEST_SHOWN else f"{shown[: LONGEST_SHOWN - 1]}…"
