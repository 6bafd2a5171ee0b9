"""The methods as a tree round deep fusion, and the addresses that open other pages with one. No drawing here."""

import re
from collections.abc import Iterable
from typing import Any

import race

from dfn.training.comparisons import CONTROLS, Frame, Method, methods

FAMILIES = {
    "fusion": "another join, or another place for it",
    "base network": "what is fused, alone",
    "shortcut": "a base network that is a shortcut",
    "views": "a column for each view of the image",
    "regulariser": "one switch of the norm or of the training",
    "supervision": "losses at other places",
    "transfer": "a net that was trained before helps",
    "start": "other first weights",
}
"""How the members of a family stand to deep fusion; a family that is not here stands without such words."""
_ANOTHER_NET = ("fusion", "base network", "shortcut", "views")


def tree(selected: str, families: Iterable[str] = (), search: str = "") -> dict[str, Any]:
    """What the view `tree` draws: the fused net, and on two sides all families with their methods. A method is shown
    where its family is among `families` (none: all) and every word of `search` is found in what its card says."""
    wanted, words = set(families), search.lower().split()

    def member(method: Method) -> dict[str, Any]:
        said = " ".join((method.name, method.title, method.family, method.relation, method.source)).lower()
        fits = (not wanted or method.family in wanted) and all(word in said for word in words)
        about = {"name": method.name, "title": method.title, "says": method.relation, "shown": fits}
        return {**about, "role": method.role}

    root, *others = methods().values()
    grown: dict[str, list[dict[str, Any]]] = {}
    for method in others:
        grown.setdefault(method.family, []).append(member(method))
    named = [
        {"name": name, "says": FAMILIES.get(name, ""), "methods": found} for name, found in _in_order(grown).items()
    ]
    return {
        "root": member(root),
        "sides": [
            {"title": "another net", "families": _side(named, another_net=True)},
            {"title": "another training", "families": _side(named, another_net=False)},
        ],
        "selected": selected,
        "alt": f"A family tree of {len(others)} methods around deep fusion: "
        + "; ".join(f"{family['name']}, {len(family['methods'])}" for family in named),
    }


def _in_order(grown: dict[str, Any]) -> dict[str, Any]:
    known = [name for name in FAMILIES if name in grown]
    return {name: grown[name] for name in (*known, *(name for name in grown if name not in known))}


def _side(families: list[dict[str, Any]], *, another_net: bool) -> list[dict[str, Any]]:
    return [family for family in families if (family["name"] in _ANOTHER_NET) == another_net]


def shown(tree: dict[str, Any]) -> list[str]:
    """The names of the methods that a tree shows."""
    everyone = [tree["root"], *(m for side in tree["sides"] for f in side["families"] for m in f["methods"])]
    return [member["name"] for member in everyone if member["shown"]]


Address = dict[str, str | list[str]]

_LINKS = {
    r"arXiv (\d{4}\.\d{4,5})": r"[arXiv \1](https://arxiv.org/abs/\1)",
    r"\b(zlmzju/fusenet|bneyshabur/path-sgd)\b": r"[\1](https://github.com/\1)",
}


def linked(source: str) -> str:
    """A source as Markdown, with a link wherever it names an arXiv paper or the code that it was read from."""
    for pattern, link in _LINKS.items():
        source = re.sub(pattern, link, source)
    return source


def _net(frame: Frame) -> Address:
    deep, shallow = frame.bases
    return {"deep": str(deep), "shallow": str(shallow), "fusions": str(frame.fusions), "width": str(frame.width)}


def train_address(method: Method, frame: Frame) -> Address:
    """The Train page with the method in the race, beside the nets that race there anyway."""
    if method.name in CONTROLS:
        rivals = [title for title in race.RIVALS if title in (*race.USUAL, method.title)]
        return {**_net(frame), "rivals": rivals}
    further = race.FURTHER.get(method.title)
    return _net(frame) | ({"methods": [further]} if further else {})


def compare_address(method: Method, frame: Frame) -> Address:
    """The Compare page with the method ticked, beside the controls."""
    return _net(frame) | {
        "against": [race.LISTED[name] for name in dict.fromkeys((*CONTROLS, method.name)) if name in race.LISTED]
    }
