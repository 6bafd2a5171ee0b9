"""The pages of the app and the knobs that their addresses hold: names, accepted values, defaults.

A lesson opens a page in a state; here it is decided whether the page has that state. The app's tests open every
state of the built-in lessons, so that this table and the pages cannot part unseen.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dfn.data.info import data_sets
from dfn.insight.methods import METHODS
from dfn.training.comparisons import CONTROLS, methods
from dfn.training.recipe import PRESETS

RECORDED = {"recorded": "fused", "recorded-plain": "plain", "recorded-shallow": "shallow", "recorded-resnet": "resnet"}
"""Words for `run` that stand for the runs that come with the lab, and the role of each."""


@dataclass(frozen=True)
class Knob:
    """One name in an address. `read` gives the value of what a file or an address says, or None where it is not
    accepted; `in_address` marks what the app keeps in the address itself, other knobs are the widgets' own. `values`
    are those to choose from, for a list those that may be in it; none where a pattern decides."""

    accepted: str
    default: Any
    read: Callable[[Any], Any]
    in_address: bool = False
    values: Sequence[Any] = ()


def _whole(low: int, high: int, default: int | None, in_address: bool = False) -> Knob:
    def read(value: Any) -> int | None:
        text = str(value)
        fits = re.fullmatch(r"\d{1,10}", text) and low <= int(text) <= high
        return int(text) if fits else None

    return Knob(f"a whole number from {low} to {high}", default, read, in_address, range(low, high + 1))


def _one(options: Sequence[Any], default: Any, in_address: bool = False) -> Knob:
    named = {str(option): option for option in options}
    return Knob(f"one of {', '.join(named)}", default, lambda value: named.get(str(value)), in_address, tuple(options))


def _several(options: Sequence[Any], default: Sequence[Any]) -> Knob:
    named = {str(option): option for option in options}

    def read(value: Any) -> list[Any] | None:
        words = [str(word) for word in value] if isinstance(value, list) else [str(value)]
        return [named[word] for word in words] if all(word in named for word in words) else None

    return Knob(f"a list of any of {', '.join(named)}", list(default), read, values=tuple(options))


def _flag(default: bool) -> Knob:
    named = {"true": True, "false": False}
    return Knob("true or false", default, lambda value: named.get(str(value).lower()), values=(True, False))


def _text(pattern: str, accepted: str) -> Knob:
    def read(value: Any) -> str | None:
        return str(value) if re.fullmatch(pattern, str(value)) else None

    return Knob(accepted, "", read, in_address=True)


_BLOCK = r"(?:fusion\d{1,2}/)?[a-z]+\d?"
_NET = {
    "data": _one(tuple(data_sets()), next(iter(data_sets()))),
    "deep": _whole(2, 110, 50),
    "shallow": _whole(2, 110, 14),
    "base3": _whole(2, 110, 26),
    "base4": _whole(2, 110, 26),
    "fusions": _whole(0, 12, 6),
    "join": _one(("sum", "mean", "max", "concat", "gate"), "sum"),
    "width": _one((4, 8, 16, 32), 16),
    "bases": _one((2, 3, 4), 2),
    "x": _text(r"\d{1,12}", "one digit for each fusion, such as 010000: how often its blocks were exchanged"),
}
_RIVALS = [methods()[name].title for name in CONTROLS]
_FURTHER = [
    f"{method.family}: {method.title}" for name, method in methods().items() if name not in ("fused", *CONTROLS)
]
_RECIPE = {
    "preset": _one(tuple(PRESETS), next(iter(PRESETS))),
    "epochs": _whole(1, 10_000, None),
    "images": _one(("1000", "5000", "10000", "all"), "5000"),
    "pixels": _whole(8, 256, None),
}
_TRAINING = {
    "seed": _whole(0, 2**31 - 1, 0),
    "rivals": _several(_RIVALS, ["plain deep", "plain shallow", "ResNet"]),
    "methods": _several(_FURTHER, []),
    "decay": _flag(True),
    "path-sgd": _flag(False),
    "patience": _whole(1, 10_000, None),
}
_COMPARED = {
    "against": _several([*_RIVALS, *_FURTHER], _RIVALS),
    "seeds": _whole(1, 10, 3),
    "equal": _one(("epochs", "parameters", "multiply-adds", "seconds"), "epochs", in_address=True),
}
_MAPPED = {
    "deeps": _several((2, 5, 8, 14, 20, 26, 38, 50, 74, 98), (8, 14, 26, 50)),
    "shallows": _several((2, 5, 8, 14, 20, 26, 38, 50), (2, 5, 8, 14)),
    "joins": _several((0, 1, 2, 3, 6, 9, 12), (6,)),
    "mapwidth": _one((4, 8, 16, 32), 8),
    "seed": _TRAINING["seed"],
    "show": _one(("accuracy", "loss", "stem_gradient"), "accuracy", in_address=True),
    "cell": _text(r"\d{1,3}-\d{1,3}-\d{1,2}", "deep and shallow depth and fusions of a square, such as 26-8-6"),
}
_RUN = {
    "run": _text(rf"{'|'.join(RECORDED)}|[0-9a-f]{{4,64}}", f"the id of a run, or one of {', '.join(RECORDED)}"),
    "epoch": _text(r"\d{1,5}", "the number of an epoch"),
    "image": _whole(0, 10**6, 0),
    "source": _one(("test", "china", "flower", "own"), "test", in_address=True),
    "crop": _one(tuple(range(0, 101, 5)), 50, in_address=True),
}
_SPOT = _text(r"\d{1,4}\.\d{1,4}\.\d{1,4}", "channel.row.column, such as 3.2.5")
_FUSION = {"fusion": _whole(1, 110, 1)}
PAGES: dict[str, dict[str, Knob]] = {
    "lessons": {},
    "compose": _NET,
    "train": _NET | _RECIPE | _TRAINING,
    "compare": _NET | _RECIPE | _COMPARED,
    "depth_map": {"data": _NET["data"]} | _RECIPE | _MAPPED,
    "methods": {},
    "maps": _RUN
    | _FUSION
    | {
        "at": _SPOT,
        "at2": _SPOT,
        "a": _RUN["epoch"],
        "b": _RUN["epoch"],
        "compare": _text("1", "1, where two epochs are compared"),
        "scale": _one(("shared", "per map", "whole net"), "shared", in_address=True),
    },
    "attribution": _RUN
    | _FUSION
    | {
        "place": _one(("input", "joined", "deep", "shallow"), "input", in_address=True),
        "method": _one(tuple(METHODS), "integrated_gradients", in_address=True),
        "target": _text(r"called|true|unit|\d{1,4}", "called, true, unit or the number of a class"),
        "unit": _text(r"\w{1,12}(\.\d{1,4}){3}", "a map at the fusion with channel, row and column: deep.3.4.5"),
        "beside": _text(r"[a-z]+(?:\.\w+)?", "a comparison, such as untrained or epoch.1"),
    },
    "flow": _RUN | {"over": _one(("this image", "several images"), "this image", in_address=True)},
    "lesions": _RUN
    | {
        "cut": _text(rf"{_BLOCK}(?:,{_BLOCK})*", "blocks separated by commas, such as fusion3/deep or shallow"),
        "how": _one(("zero", "mean", "resample"), "zero", in_address=True),
        "dial": _text(r"(?:0(?:\.\d{1,2})?|1)(?:@\d{1,3})?", "a gain from 0 to 1, such as 0.5 or 0.5@3"),
        "edge": _text(rf"{_BLOCK}(?:,{_BLOCK})*", "ways back separated by commas, such as fusion1/deep"),
        "swap": _text(r"[a-z]+\d?\.\d{1,3}\.\d{1,3}", "base network and two fusions, such as deep.1.2"),
    },
    "runs": {},
}

PARTS: dict[str, tuple[str, ...]] = {
    "lessons": (),
    "compose": (
        *("data", "deep", "shallow", "fusions", "join", "width", "bases"),
        *("net", "paths", "groups", "essential_depth", "parameters", "multiply_adds", "distance", "scales"),
    ),
    "train": ("data", "preset", "epochs", "rivals", "curves", "gradient", "verdict", "nets"),
    "compare": ("data", "preset", "epochs", "against", "seeds", "equal"),
    "depth_map": ("data", "deeps", "shallows", "joins", "preset", "epochs"),
    "methods": (),
    "maps": ("run", "scale", "fusion", "image", "maps", "numbers", "fields", "pixels"),
    "attribution": ("run", "epoch", "fusion", "image", "place", "method", "pictures", "branches"),
    "flow": ("run", "epoch", "image", "over", "places", "handed_back", "lengths", "training", "alone"),
    "lesions": ("run", "epoch", "how", "image", "cut", "edge", "dial", "swap", "net", "verdict", "effect", "strip"),
    "runs": (),
}
"""What a lesson can frame on a page: knobs that have a widget of their own, and parts of the page."""

KNOBS = {name: knob for knobs in PAGES.values() for name, knob in knobs.items()}
