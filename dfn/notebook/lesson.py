"""What a lesson needs beside its words: a beginning, predictions beside measurements, answers that are checked."""

import os
from collections.abc import Mapping
from math import isclose
from typing import TYPE_CHECKING, Any

from plotly import io
from plotly.io.base_renderers import NotebookRenderer

from dfn.notebook.bars import bars

if TYPE_CHECKING:
    from dfn.views.notebook import View

SHORT = "DFN_SHORT"
SHOW = "show"
EXACT = 1e-9  # relative: 0.1 + 0.2 is 0.3


class _Kept(NotebookRenderer):
    """Puts plotly.js into the notebook, once, and every figure beside it; unlike its parent it asks no server for a
    formula library, nor offers to upload the figure."""

    _there = False

    def activate(self) -> None:
        if not self._there:
            super().activate()
        self._there = True

    def to_mimebundle(self, fig_dict: dict[str, Any]) -> dict[str, str]:
        config = {"showSendToCloud": False, "displaylogo": False}
        html = io.to_html(
            fig_dict, config, include_plotlyjs=False, full_html=False, default_height="450px", validate=False
        )
        return {"text/html": html}


def begin() -> bool:
    """Begin a lesson: from here on figures are kept in the notebook with all that they need, so that it can be read
    without a kernel and without a network. Returns whether the environment asks for the short run (`DFN_SHORT=1`)."""
    io.renderers["kept"] = kept = _Kept()
    kept.activate()
    io.renderers.default = "plotly_mimetype+kept"
    return os.environ.get(SHORT, "0") not in ("", "0")


def check(answer: object, computed: object, within: float = 0.0) -> None:
    """Prints whether an answer is right, and nothing of what is right before it is.

    `computed` is a number (a tensor or array of one is one too), a text, or a list, tuple, set or dict of these;
    numbers may be `within` so much of it, texts may be in capitals or not. An answer of None is still to come; "show"
    shows the right one.
    """
    right = _plain(computed)
    given = _plain(answer)
    if given is None:
        print('This one waits for your answer: write it in the place of None. ("show" shows it.)')
    elif given == SHOW:
        print(f"It is {_words(right)}.")
    elif _agree(given, right, within):
        print(f"Right: {_words(right)}.")
    elif _kind(given) != _kind(right):
        print(f"{given!r} is {_kind(given)}; {_kind(right)} is asked for.")
    elif _kind(right) == "a number":
        print(f"Not yet: {_words(given)} is too {'large' if given > right else 'small'}.")
    else:
        print(f"Not yet: it is not {_words(given)}.")


def reveal(predicted: Mapping[str, float | None], measured: Mapping[str, float], title: str, unit: str = "") -> "View":
    """What was predicted beside what was measured, as bars; a prediction that is None is left out. Raises ValueError
    for a prediction of something that was not measured."""
    from dfn.insight.subject import refusal

    if unknown := predicted.keys() - measured.keys():
        raise refusal("predicted", min(unknown), f"one of {', '.join(measured)}")
    given = {name: value for name, value in predicted.items() if value is not None}
    groups = {"predicted": ("plain", given)} if given else {}
    gap = sum(abs(value - measured[name]) for name, value in given.items()) / max(1, len(given))
    subtitle = f"your predictions are off by {gap:.3g} {unit}".rstrip() if given else "nothing was predicted"
    return bars({**groups, "measured": ("fused", measured)}, title, unit, subtitle)


def _plain(value: Any) -> Any:
    """Numbers of other libraries as Python's own, texts without capitals and spaces around, lists for tuples."""
    match value:
        case str():
            return value.strip().casefold()
        case dict():
            return {_plain(key): _plain(inside) for key, inside in value.items()}
        case set() | frozenset():
            return {_plain(inside) for inside in value}
        case list() | tuple():
            return [_plain(inside) for inside in value]
        case _:
            return value.item() if hasattr(value, "item") else value


def _agree(given: Any, right: Any, within: float) -> bool:
    match given, right:
        case list(), list():
            return len(given) == len(right) and all(_agree(g, r, within) for g, r in zip(given, right, strict=True))
        case dict(), dict():
            return given.keys() == right.keys() and all(_agree(given[key], right[key], within) for key in right)
        case _ if _kind(given) == _kind(right) == "a number":
            return isclose(given, right, rel_tol=EXACT, abs_tol=within)
        case _:
            return given == right and _kind(given) == _kind(right)


def _kind(value: Any) -> str:
    names = {bool: "True or False", int: "a number", float: "a number", str: "a text", list: "a list", set: "a set"}
    return {**names, dict: "a dict"}.get(type(value), f"a {type(value).__name__}")


def _words(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
